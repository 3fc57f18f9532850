// Stores a seating plan in flat arrays by place number, with a grid that finds the seat under a finger among 60,000.

const FLAGS = { accessible: 1, companion: 2, restricted_view: 4 };
const FLAG_WORDS = { 1: "wheelchair space", 2: "companion seat", 4: "restricted view" };

export const ACCESSIBLE = 1, COMPANION = 2, RESTRICTED = 4;

// The label of a row as on its tickets.
export function rowWords(row) { return row.label ?? `Row ${row.name}`; }

export class Plan {
  constructor(map, config) {
    const count = config.areas.reduce((end, area) => Math.max(end, area.first + area.count), 0);
    this.config = config;
    this.count = count;
    this.x = new Float32Array(count).fill(NaN);
    this.y = new Float32Array(count);
    this.area = new Uint16Array(count);
    this.category = new Uint8Array(count);
    this.flags = new Uint8Array(count);
    this.row = new Int32Array(count).fill(-1);
    this.state = new Uint8Array(count);
    // Places that the viewer holds.
    this.reserved = new Set(config.reserved);
    this.labels = new Array(count);
    // Rows: {name, area, first, end}; the seats of one follow each other by number.
    this.rows = [];
    const categories = new Map(config.categories.map((name, at) => [name, at]));
    map.areas.forEach((area, at) => this.#readArea(area, at, categories));
    this.pitch = this.#pitch();
    this.bounds = this.#bounds();
    this.#buildGrid();
    this.#buildOffers();
  }

  #readArea(area, at, categories) {
    if (!area.rows) {
      const category = categories.get(area.category) ?? 0;
      this.area.fill(at, area.first, area.first + area.count);
      this.category.fill(category, area.first, area.first + area.count);
      return;
    }
    for (const row of area.rows) {
      if (!row.seats.length) continue;
      const number = this.rows.length;
      const first = row.seats[0].place;
      this.rows.push({ name: row.name, label: row.label, seatLabel: row.seat_label, area: at, first, end: first + row.seats.length });
      for (const seat of row.seats) {
        const place = seat.place;
        this.x[place] = seat.x;
        this.y[place] = seat.y;
        this.area[place] = at;
        this.row[place] = number;
        this.category[place] = categories.get(seat.category) ?? 0;
        this.labels[place] = seat.label;
        for (const flag of seat.flags ?? []) this.flags[place] |= FLAGS[flag] ?? 0;
      }
    }
  }

  // The median distance between neighbours: plans have no common unit.
  #pitch() {
    const gaps = [];
    for (const { first, end } of this.rows) {
      for (let place = first + 1; place < end && gaps.length < 4000; place++) {
        gaps.push(Math.hypot(this.x[place] - this.x[place - 1], this.y[place] - this.y[place - 1]));
      }
    }
    gaps.sort((a, b) => a - b);
    return gaps[gaps.length >> 1] || 20;
  }

  #bounds() {
    const box = { left: Infinity, top: Infinity, right: -Infinity, bottom: -Infinity };
    const add = (x, y) => {
      box.left = Math.min(box.left, x);
      box.right = Math.max(box.right, x);
      box.top = Math.min(box.top, y);
      box.bottom = Math.max(box.bottom, y);
    };
    for (const { first, end } of this.rows) for (let place = first; place < end; place++) add(this.x[place], this.y[place]);
    for (const area of this.config.areas) for (const [x, y] of area.outline) add(x, y);
    if (box.left > box.right) return null;
    return box;
  }

  #buildGrid() {
    if (!this.rows.length) return;
    const { left, top, right, bottom } = this.bounds;
    const size = (this.cell = this.pitch * 4);
    this.columns = Math.floor((right - left) / size) + 1;
    const lines = Math.floor((bottom - top) / size) + 1;
    this.cellStart = new Int32Array(this.columns * lines + 1);
    const cellOf = (place) => Math.floor((this.y[place] - top) / size) * this.columns + Math.floor((this.x[place] - left) / size);
    const each = (act) => { for (const { first, end } of this.rows) for (let place = first; place < end; place++) act(place); };
    each((place) => this.cellStart[cellOf(place) + 1]++);
    for (let at = 1; at < this.cellStart.length; at++) this.cellStart[at] += this.cellStart[at - 1];
    const next = this.cellStart.slice();
    this.cellSeats = new Int32Array(this.cellStart[this.cellStart.length - 1]);
    each((place) => { this.cellSeats[next[cellOf(place)]++] = place; });
  }

  // Calls act for every seat within the box.
  within(left, top, right, bottom, act) {
    if (!this.rows.length) return;
    const column = (x) => Math.floor((x - this.bounds.left) / this.cell);
    const line = (y) => Math.floor((y - this.bounds.top) / this.cell);
    const lastLine = (this.cellStart.length - 1) / this.columns - 1;
    const from = Math.max(0, column(left)), to = Math.min(this.columns - 1, column(right));
    for (let at = Math.max(0, line(top)); at <= Math.min(lastLine, line(bottom)); at++) {
      const end = this.cellStart[at * this.columns + to + 1];
      for (let index = this.cellStart[at * this.columns + from]; index < end; index++) act(this.cellSeats[index]);
    }
  }

  // The nearest seat within reach that passes the test, or -1.
  nearest(x, y, reach, test = () => true) {
    let best = -1, bestDistance = reach * reach;
    this.within(x - reach, y - reach, x + reach, y + reach, (place) => {
      const distance = (this.x[place] - x) ** 2 + (this.y[place] - y) ** 2;
      if (distance <= bestDistance && test(place)) { best = place; bestDistance = distance; }
    });
    return best;
  }

  // Offers by area and category.
  #buildOffers() {
    this.offerTable = new Map();
    for (const offer of this.config.offers) {
      const key = offer.area * 256 + offer.category;
      if (!this.offerTable.has(key)) this.offerTable.set(key, []);
      this.offerTable.get(key).push(offer);
    }
  }

  offersOf(place) {
    return this.offerTable.get(this.area[place] * 256 + this.category[place]) ?? [];
  }

  canChoose(place) {
    return this.config.on_sale && this.state[place] === 0 && !this.reserved.has(place) && this.offersOf(place).length > 0;
  }

  label(place) {
    const area = this.config.areas[this.area[place]].name;
    const row = this.rows[this.row[place]];
    if (!row) return area;
    return `${area} · ${rowWords(row)}${row.label || row.seatLabel ? ", " : " · "}${this.seatWords(place)}`;
  }

  // The label of a seat as on its ticket.
  seatWords(place) {
    const words = this.rows[this.row[place]]?.seatLabel ?? "Seat %s";
    return words.includes("%s") ? words.replaceAll("%s", this.labels[place]) : `${words} ${this.labels[place]}`;
  }

  isAccessible(place) { return (this.flags[place] & ACCESSIBLE) !== 0; }

  notes(place) {
    return [1, 2, 4].filter((flag) => this.flags[place] & flag).map((flag) => FLAG_WORDS[flag]);
  }
}
