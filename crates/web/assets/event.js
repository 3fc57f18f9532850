// Connects plan, availability, map, list and basket on the event page. Without this script the page's forms do the same.

import { Basket, NoBasket } from "./basket.js";
import { SeatList, connectSteppers } from "./seat_list.js";
import { LiveAvailability } from "./live_availability.js";
import { counted, money } from "./money.js";
import { ACCESSIBLE, COMPANION, Plan, RESTRICTED } from "./plan.js";
import { SeatMap } from "./seat_map.js";

const config = JSON.parse(document.getElementById("event-data").textContent);
const by = (id) => document.getElementById(id);
const STATES = ["", "somebody is holding it", "sold", "not on sale"];
const RESERVED = "reserved for you";
let plan, map, list;

const changed = (places) => { list?.changed(places); map?.changed([]); };
const basket = config.on_sale ? new Basket(config, { changed }) : new NoBasket();

function notice(text, tone = "bad", link = null) {
  const line = document.createElement("p");
  line.className = `notice notice-${tone}`;
  line.textContent = text;
  if (link) { const way = document.createElement("a"); [way.href, way.textContent] = link; line.append(" ", way); }
  by("notice").replaceChildren(line);
  line.scrollIntoView({ block: "nearest" });
}

function choose(place) {
  if (basket.has(place)) { basket.remove(place); return; }
  if (plan.reserved.has(place)) { say(`${plan.label(place)}: ${RESERVED}`); return; }
  if (!plan.canChoose(place)) { say(`${plan.label(place)}: ${STATES[plan.state[place]] || "not for sale"}`); return; }
  if (plan.flags[place] & ACCESSIBLE && !by("accessible")?.checked) {
    notice(`${plan.label(place)} is a wheelchair space, kept for people who need one. Say so below the map to choose it.`, "wait");
    by("accessible")?.focus({ preventScroll: true });
    return;
  }
  if (!basket.add(place, plan)) notice(`At most ${counted(config.places_max, "place", "places")} at once.`, "wait");
}

function say(text) { const live = by("map-live"); if (live) live.textContent = text; }

function describe(place) {
  const prices = plan.offersOf(place).map((offer) => `${config.ticket_types[offer.ticket_type].name} ${money(offer.pays, config)}`);
  const state = basket.has(place) ? "chosen" : plan.reserved.has(place) ? RESERVED : STATES[plan.state[place]];
  return { title: plan.label(place), lines: [[config.categories[plan.category[place]], ...plan.notes(place)].join(", "), state || prices.join(" · ") || "not for sale"] };
}

function hover(place, x, y) {
  const tip = by("tip");
  tip.hidden = place < 0;
  if (place < 0) return;
  const { title, lines } = describe(place);
  const strong = document.createElement("strong");
  strong.textContent = title;
  tip.replaceChildren(strong, ...lines.map((text) => { const span = document.createElement("span"); span.textContent = text; return span; }));
  const { width, height } = by("map").getBoundingClientRect();
  const left = Math.min(Math.max(8, x - tip.offsetWidth / 2), width - tip.offsetWidth - 8);
  const above = y - tip.offsetHeight - 16;
  tip.style.transform = `translate(${left}px, ${above > 4 ? above : Math.min(y + 18, height - tip.offsetHeight)}px)`;
}

function legend() {
  const box = by("legend");
  if (!box) return;
  const item = (className, name, price) => {
    const line = document.createElement("li");
    const swatch = document.createElement("i");
    swatch.className = `swatch ${className}`;
    const text = document.createElement("span");
    text.textContent = name;
    line.append(swatch, text);
    if (price) { const small = document.createElement("span"); small.className = "muted"; small.textContent = price; line.append(small); }
    return line;
  };
  const lines = config.categories.map((name, at) => {
    const pays = config.offers.filter((offer) => offer.category === at).map((offer) => offer.pays);
    if (!pays.length) return null;
    const [low, high] = [Math.min(...pays), Math.max(...pays)];
    return item(`cat-${at % 8}`, name, low === high ? money(low, config) : `${money(low, config)} – ${money(high, config)}`);
  });
  const has = (flag) => plan.flags.some((flags) => flags & flag);
  if (plan.rows.length) lines.push(item("held", "held"), item("sold", "sold"), config.on_sale && item("chosen", "your choice"), plan.reserved.size && item("reserved", RESERVED), has(ACCESSIBLE) && item("accessible", "wheelchair"), has(COMPANION) && item("companion", "companion"), has(RESTRICTED) && item("restricted", "restricted view"));
  box.replaceChildren(...lines.filter(Boolean));
}

// Removes chosen seats that another buyer got from the basket, and names them.
function removeTaken(places) {
  const gone = places.filter((place) => basket.has(place) && plan.state[place] !== 0);
  for (const place of gone) basket.remove(place);
  if (gone.length) notice(`Somebody was faster with ${gone.map((place) => plan.label(place)).join(", ")}. Your other places are still chosen.`);
}

// Chooses the seats of the page's address, and names those that cannot be chosen.
function chooseKept(places) {
  const gone = places.filter((place) => place < plan.count && !(plan.canChoose(place) && basket.add(place, plan)));
  if (gone.length && config.on_sale) notice(`Not chosen: ${gone.map((place) => plan.label(place)).join(", ")}. Somebody was faster, or it is more than ${counted(config.places_max, "place", "places")} at once.`);
}

// Says when the last place goes, and when a sold-out event has places again.
let soldOut = null;
function showFree(count) {
  const now = count === 0;
  if (soldOut === now) return;
  const first = soldOut === null;
  soldOut = now;
  const help = by("map-help");
  if (config.on_sale && now) {
    if (help) help.textContent = "Everything is held or sold at the moment. Drag to move, pinch or scroll to zoom.";
    if (basket.count === 0) notice("Sold out for the moment. Places come back when somebody lets go of theirs; this page shows them.", "wait");
  } else if (config.on_sale && !first) {
    if (help) help.textContent = "Drag to move, pinch or scroll to zoom, tap a seat to choose it.";
    notice("Places are free again.", "wait");
  } else if (!config.on_sale && !first && !now && document.querySelector(".pill-out")) {
    notice("Places are free again.", "wait", [`/events/${config.event}`, "Choose places"]);
  }
}

let staleSince = null, staleTimer = null;
const on = {
  all(states, areas) {
    plan.state.set(states);
    list.counts(areas);
    list.changed(null);
    removeTaken([...basket.seats.keys()]);
    map?.redraw();
    chooseKept(config.keep.splice(0));
  },
  some(changes, areas) {
    for (const [place, state] of changes) plan.state[place] = state;
    const places = changes.map(([place]) => place);
    list.counts(areas);
    list.changed(places);
    removeTaken(places);
    if (plan.config.areas.some((area) => !area.seated && area.outline.length)) map?.redraw();
    else map?.changed(places);
  },
  fresh() {
    staleSince = null;
    clearInterval(staleTimer);
    by("stale").hidden = true;
  },
  stale(age) {
    staleSince = performance.now() - (age ?? 0);
    clearInterval(staleTimer);
    const show = () => { by("stale").hidden = false; by("stale").querySelector("span").textContent = `Last known ${Math.round((performance.now() - staleSince) / 1000)} s ago; the hold decides.`; };
    show();
    staleTimer = setInterval(show, 1000);
  },
  ended() {
    config.on_sale = false;
    notice("The sale is over.", "wait", [`/events/${config.event}`, "See this event"]);
    for (const button of document.querySelectorAll("#hold, #best button")) button.disabled = true;
    const pill = document.querySelector(".hero-foot .pill");
    if (pill) [pill.textContent, pill.className] = ["Sale over", "pill pill-over"];
  },
};

// The idempotency key of a choice: the same for a second click or a retry after a lost response, another for another choice.
function idempotencyKey(choice) {
  let [a, b] = [0x811c9dc5, 0x1000193];
  for (let at = 0; at < choice.length; at += 1) {
    a = Math.imul(a ^ choice.charCodeAt(at), 0x01000193);
    b = Math.imul(b ^ choice.charCodeAt(at), 0x5bd1e995) ^ (b >>> 15);
  }
  return `${config.key}-${(a >>> 0).toString(16)}${(b >>> 0).toString(16)}`;
}

let wasGranted = false;

// The button stays enabled and keeps the focus; a second press does nothing.
async function hold(items, best, code, button) {
  if (button.classList.contains("busy")) return;
  button.classList.add("busy");
  button.setAttribute("aria-busy", "true");
  const choice = JSON.stringify({ items, best_available: best, code: code || null });
  try {
    const answer = await fetch(`/api/v1/events/${config.event}/holds`, {
      method: "POST",
      headers: { "Content-Type": "application/json", "Idempotency-Key": idempotencyKey(choice) },
      body: choice,
    });
    const body = await answer.json();
    if (answer.ok) { wasGranted = true; location.assign(`/holds/${body.id}?token=${body.token}`); return; }
    showRefusal(body);
  } catch {
    notice("The shop could not be reached. Check your connection and try again; nothing was charged.");
  }
  button.classList.remove("busy");
  button.removeAttribute("aria-busy");
}

// A moment in the event's time zone.
const moment = (at) => new Date(at).toLocaleString("en-GB", { weekday: "long", day: "numeric", month: "long", year: "numeric", hour: "2-digit", minute: "2-digit", timeZone: config.timezone, timeZoneName: "short" });

// The page's sentence for a refusal; details about promo codes and wheelchair spaces are written for people.
function sentence({ code, detail, field, limit, retry_after: seconds, opens_at: opens }) {
  const { sentences } = config;
  if ((code === "invalid_request" && field === "code") || code === "accessible_place") return detail;
  if (code === "sale_closed" && opens) return `The sale opens on ${moment(opens)}.`;
  const known = (code === "limit_reached" && sentences[limit?.name]) || sentences[code] || sentences[""];
  return known.replace("{most}", limit?.most ?? "") + (seconds ? ` Try again in ${counted(seconds, "second", "seconds")}.` : "");
}

function showRefusal(body) {
  const { code, places = [] } = body;
  if (code !== "place_taken" || !places.length) { notice(sentence(body)); return; }
  for (const place of places) if (plan.state[place] === 0) plan.state[place] = 1;
  removeTaken(places);
  map?.changed(places);
  list.changed(places);
}

function tabs() {
  const show = (name) => {
    const isMap = name === "map";
    by("map-view").hidden = !isMap;
    by("choose").parentElement.classList.toggle("listing", !isMap);
    by("list-view").classList.toggle("only-no-js", isMap);
    by("show-map").setAttribute("aria-pressed", String(isMap));
    by("show-list").setAttribute("aria-pressed", String(!isMap));
  };
  by("show-map").addEventListener("click", () => show("map"));
  by("show-list").addEventListener("click", () => show("list"));
  show("map");
}

async function start() {
  const answer = await fetch(`/api/v1/events/${config.event}/map`);
  if (!answer.ok) throw new Error(`map ${answer.status}`);
  plan = new Plan(await answer.json(), config);
  list = new SeatList(plan, basket, { choose, free: showFree });
  connectSteppers(config, basket);
  if (by("map") && plan.bounds) {
    if (by("list-view")) tabs();
    map = new SeatMap(by("map"), plan, () => basket.seats.keys(), {
      choose,
      hover,
      drawn() { by("map-wait").hidden = true; },
      focus(place) { const { title, lines } = describe(place); say([title, ...lines].join(", ")); },
      area(at) { const card = document.querySelector(`[data-ga="${at}"]`); card?.scrollIntoView({ block: "center", behavior: "smooth" }); card?.querySelector("input")?.focus({ preventScroll: true }); },
    });
  }
  legend();
  const live = new LiveAvailability(config.event, plan.count, on);
  // After a return from the checkout the page shows the new hold.
  addEventListener("pageshow", (event) => { if (event.persisted && wasGranted) location.reload(); else if (event.persisted) live.start(); });
}

by("hold")?.addEventListener("click", (event) => hold(basket.items(), false, basket.parts.code.value.trim(), event.currentTarget));
by("choose").addEventListener("submit", (event) => event.preventDefault());
by("best")?.addEventListener("submit", (event) => {
  event.preventDefault();
  const fields = new FormData(event.currentTarget);
  const number = (name) => Number(fields.get(name)) || 0;
  const item = { area: fields.get("area"), quantity: number("quantity"), ticket_type: fields.get("ticket_type"), accessible: number("accessible"), companions: number("companions") };
  hold([item], true, fields.get("code")?.trim(), event.submitter);
});
// Only ticket types that fit the chosen area are offered.
by("best")?.elements.area.addEventListener("change", (event) => {
  const area = config.areas.findIndex((found) => found.id === event.target.value);
  const types = [...new Set(config.offers.filter((offer) => offer.area === area).map((offer) => offer.ticket_type))];
  by("best").elements.ticket_type.replaceChildren(...types.map((type) => new Option(config.ticket_types[type].name, config.ticket_types[type].id)));
});

start().catch(() => {
  document.documentElement.classList.remove("js");
  notice("The live map could not be loaded. You can still choose places below.", "wait");
});
