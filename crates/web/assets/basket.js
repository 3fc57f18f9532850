// Holds the buyer's choice, seats with ticket types and numbers of standing places; shows it and adds it up.

import { counted, money } from "./money.js";

export class Basket {
  // on: {changed(places), remove(place)}
  constructor(config, on) {
    this.config = config;
    this.on = on;
    this.seats = new Map(); // place → index of its offer
    this.standing = new Map(); // "area:type index" → {area, ticketType, quantity}
    const by = (id) => document.getElementById(id);
    this.parts = { items: by("basket-items"), empty: by("basket-empty"), count: by("basket-count"), total: by("basket-total"), hold: by("hold"), live: by("basket-live"), root: by("basket"), sum: by("basket-sum"), code: by("basket-code"), title: by("basket-title") };
    this.parts.sum.addEventListener("click", () => {
      const open = this.parts.root.classList.toggle("open");
      this.parts.sum.setAttribute("aria-expanded", String(open));
    });
  }

  get count() {
    return this.seats.size + [...this.standing.values()].reduce((sum, { quantity }) => sum + quantity, 0);
  }

  has(place) { return this.seats.has(place); }

  // False at the limit of places.
  add(place, plan) {
    if (this.count >= this.config.places_max) return false;
    this.plan = plan;
    this.seats.set(place, 0);
    this.#show([place]);
    return true;
  }

  remove(place) {
    if (this.seats.delete(place)) this.#show([place]);
  }

  setStanding(area, ticketType, quantity) {
    const key = `${area}:${ticketType}`;
    if (quantity > 0) this.standing.set(key, { area, ticketType, quantity });
    else this.standing.delete(key);
    this.#show([]);
  }

  #standingOffer({ area, ticketType }) {
    return this.config.offers.find((offer) => offer.area === area && offer.ticket_type === ticketType);
  }

  // The focused control of the list, so that it has the focus again after the list is replaced.
  #focused() {
    const { activeElement } = document;
    const line = activeElement?.closest?.("#basket-items li");
    if (!line) return null;
    return { key: activeElement.dataset.key, at: [...this.parts.items.children].indexOf(line) };
  }

  // The heading, or the bar's button while a phone shows the list closed.
  get #fallbackFocus() { return this.parts.title.offsetParent ? this.parts.title : this.parts.sum; }

  // Focuses the same control, else that of the next line, else the heading.
  #refocus(focused) {
    const { items } = this.parts;
    if (!focused) return;
    const same = items.querySelector(`[data-key="${focused.key}"]`);
    const buttons = items.querySelectorAll(".remove");
    (same ?? buttons[Math.min(focused.at, buttons.length - 1)] ?? this.#fallbackFocus).focus();
  }

  #show(changed) {
    const { parts, config } = this;
    const focused = this.#focused();
    let total = 0;
    const lines = [];
    for (const [place, chosen] of this.seats) {
      const offers = this.plan.offersOf(place);
      total += offers[chosen].pays;
      lines.push(this.#seatLine(place, offers, chosen));
    }
    for (const item of this.standing.values()) {
      const offer = this.#standingOffer(item);
      const pays = (offer?.pays ?? 0) * item.quantity;
      total += pays;
      lines.push(this.#line(`${item.quantity} × ${config.areas[item.area].name}`, config.ticket_types[item.ticketType].name, money(pays, config)));
    }
    parts.items.replaceChildren(...lines);
    const count = this.count;
    parts.empty.hidden = count > 0;
    parts.count.textContent = count ? counted(count, "place", "places") : "Nothing chosen";
    parts.total.textContent = count ? money(total, config) : "";
    const hadFocus = document.activeElement === parts.hold;
    if (count === 0 && hadFocus) this.#fallbackFocus.focus();
    parts.hold.disabled = count === 0 || !config.on_sale;
    parts.live.textContent = count ? `${counted(count, "place", "places")} chosen, ${money(total, config)}` : "";
    parts.root.classList.toggle("filled", count > 0);
    this.#refocus(focused);
    this.on.changed(changed);
  }

  #line(title, below, price) {
    const line = document.createElement("li");
    const text = document.createElement("div");
    const strong = document.createElement("strong");
    strong.textContent = title;
    text.append(strong);
    if (below) { const small = document.createElement("span"); small.className = "muted small"; small.textContent = below; text.append(small); }
    const amount = document.createElement("span");
    amount.className = "price";
    amount.textContent = price;
    line.append(text, amount);
    return line;
  }

  #seatLine(place, offers, chosen) {
    const { config, plan } = this;
    const label = plan.label(place);
    const notes = [config.categories[plan.category[place]], ...plan.notes(place)].join(", ");
    const line = this.#line(label, notes, money(offers[chosen].pays, config));
    const remove = document.createElement("button");
    remove.type = "button";
    remove.className = "remove";
    remove.textContent = "×";
    remove.dataset.key = `remove:${place}`;
    remove.setAttribute("aria-label", `Remove ${label}`);
    remove.addEventListener("click", () => this.remove(place));
    line.append(remove);
    if (offers.length > 1) {
      const select = document.createElement("select");
      select.dataset.key = `type:${place}`;
      select.setAttribute("aria-label", `Ticket type for ${label}`);
      offers.forEach((offer, at) => select.add(new Option(`${config.ticket_types[offer.ticket_type].name} · ${money(offer.pays, config)}`, at, false, at === chosen)));
      select.addEventListener("change", () => { this.seats.set(place, Number(select.value)); this.#show([]); });
      line.append(select);
    }
    return line;
  }

  // The buyer's confirmation that wheelchair spaces are needed.
  #needsAccessible() { return document.getElementById("accessible")?.checked ?? false; }

  // The items of a hold in the API's format.
  items() {
    const { config } = this;
    const seats = [...this.seats].map(([place, chosen]) => ({ place, ticket_type: config.ticket_types[this.plan.offersOf(place)[chosen].ticket_type].id, accessible: this.plan.isAccessible(place) && this.#needsAccessible() }));
    const standing = [...this.standing.values()].map(({ area, ticketType, quantity }) => ({ area: config.areas[area].id, ticket_type: config.ticket_types[ticketType].id, quantity }));
    return [...seats, ...standing];
  }
}

// The basket of a page whose event is not on sale.
export class NoBasket {
  seats = new Map();
  standing = new Map();
  count = 0;
  has() { return false; }
  add() { return false; }
  remove() {}
  setStanding() {}
}
