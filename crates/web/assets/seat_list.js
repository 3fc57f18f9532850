// Lists the map's seats as rows of buttons, built when an area is opened and kept current, and counts standing places.

import { money } from "./money.js";
import { rowWords } from "./plan.js";

const STATES = ["free", "held by somebody", "sold", "not on sale"];

export class SeatList {
  // on: {choose(place), free(count)}
  constructor(plan, basket, on) {
    this.plan = plan;
    this.basket = basket;
    this.on = on;
    this.seats = new Map(); // place → its button, in areas that were opened
    for (const details of document.querySelectorAll("details[data-area]")) {
      details.addEventListener("toggle", () => { if (details.open) this.#open(details); }, { once: false });
    }
  }

  #open(details) {
    const box = details.querySelector(".rows");
    if (box.dataset.built) return;
    box.dataset.built = "yes";
    const area = Number(details.dataset.area);
    box.replaceChildren();
    let name = null, seats = null;
    for (const row of this.plan.rows) {
      if (row.area !== area) continue;
      if (row.name !== name) {
        name = row.name;
        const group = document.createElement("div");
        group.className = "row";
        group.setAttribute("role", "group");
        group.setAttribute("aria-label", rowWords(row));
        const title = document.createElement("h3");
        title.textContent = rowWords(row);
        seats = document.createElement("div");
        seats.className = "row-seats";
        group.append(title, seats);
        box.append(group);
      }
      for (let place = row.first; place < row.end; place++) seats.append(this.#seat(place));
    }
  }

  #seat(place) {
    const { plan } = this;
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = plan.labels[place];
    button.addEventListener("click", () => this.on.choose(place));
    this.seats.set(place, button);
    this.#show(place, button);
    return button;
  }

  #show(place, button) {
    const { plan, basket } = this;
    const chosen = basket.has(place), reserved = plan.reserved.has(place);
    const can = chosen || plan.canChoose(place);
    const offers = plan.offersOf(place);
    const price = offers.length ? money(Math.min(...offers.map((offer) => offer.pays)), plan.config) : "";
    button.className = `seat cat-${plan.category[place] % 8}${reserved ? " reserved-seat" : can ? "" : " taken"}`;
    // The focused button is never disabled; a press says why nothing happens.
    button.disabled = !can && document.activeElement !== button;
    button.setAttribute("aria-disabled", String(!can));
    button.setAttribute("aria-pressed", String(chosen));
    const state = chosen ? "chosen" : reserved ? "reserved for you" : STATES[plan.state[place]];
    const words = [plan.seatWords(place), plan.config.categories[plan.category[place]], price, ...plan.notes(place), state].filter(Boolean).join(", ");
    button.setAttribute("aria-label", words);
    button.title = words;
  }

  // Shows changed seats; all seats for null.
  changed(places) {
    if (places) for (const place of places) { const button = this.seats.get(place); if (button) this.#show(place, button); }
    else for (const [place, button] of this.seats) this.#show(place, button);
  }

  // Shows the free places per area, in the list and on the cards of standing areas.
  counts(areas) {
    const index = new Map(this.plan.config.areas.map((area, at) => [area.id, at]));
    for (const counts of areas) {
      const at = index.get(counts.area);
      if (at === undefined) continue;
      const area = this.plan.config.areas[at];
      area.counts = counts;
      const holder = document.querySelector(`[data-area="${at}"], [data-ga="${at}"]`);
      const free = holder?.querySelector("[data-free]");
      if (free) free.textContent = counts.free;
      const meter = holder?.querySelector("[data-meter]");
      if (meter) meter.style.width = `${(100 * (area.count - counts.free)) / Math.max(1, area.count)}%`;
      holder?.classList.toggle("sold-out", counts.free === 0);
      // The focused control stays enabled: a press says that nothing is left.
      for (const part of holder?.querySelectorAll(".stepper input, .stepper button") ?? []) {
        if (part !== document.activeElement) part.disabled = !this.plan.config.on_sale || counts.free === 0;
      }
    }
    this.on.free?.(this.plan.config.areas.reduce((sum, area) => sum + (area.counts?.free ?? 0), 0));
  }
}

// Connects the steppers of standing places to the basket.
export function connectSteppers(config, basket) {
  for (const input of document.querySelectorAll('input[name^="qty:"]')) {
    const [, areaId, typeId] = input.name.split(":");
    const area = config.areas.findIndex((found) => found.id === areaId), type = config.ticket_types.findIndex((found) => found.id === typeId);
    const set = (wanted) => {
      const current = Number(basket.standing.get(`${area}:${type}`)?.quantity ?? 0);
      const room = config.places_max - basket.count + current;
      const quantity = Math.max(0, Math.min(wanted || 0, Number(input.max), room));
      input.value = quantity;
      basket.setStanding(area, type, quantity);
    };
    input.addEventListener("change", () => set(Math.floor(Number(input.value))));
    for (const button of input.parentElement.querySelectorAll("[data-step]")) {
      button.disabled = input.disabled;
      button.addEventListener("click", () => set(Number(input.value) + Number(button.dataset.step)));
    }
    if (Number(input.value)) set(Number(input.value));
  }
}
