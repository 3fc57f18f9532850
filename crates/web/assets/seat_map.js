// Shows a part of the painter's picture and handles touch, mouse and keys on it.

import { Painter } from "./painter.js";

const SEAT_PIXELS_MAX = 44; // CSS pixels per seat
const CHOOSABLE_PIXELS_MIN = 7; // a smaller seat is zoomed to, not chosen
const TAP_MOVE_PIXELS_MAX = 8; // a longer movement is no tap
const SLOW_DRAW_MS = 24; // milliseconds: while moving, the old picture is shifted instead

export class SeatMap {
  // on: {choose(place), hover(place, x, y), focus(place), area(index), drawn()}
  constructor(root, plan, chosen, on) {
    this.canvas = root.querySelector("canvas");
    this.pen = this.canvas.getContext("2d", { alpha: false });
    this.root = root;
    this.plan = plan;
    this.chosen = chosen;
    this.on = on;
    this.painter = new Painter(plan);
    const { left, top, right, bottom } = plan.bounds;
    root.style.setProperty("--shape", String((right - left) / (bottom - top)));
    this.dirty = new Set();
    this.focus = -1;
    this.hovered = -1;
    this.pointers = new Map();
    new ResizeObserver(() => this.#resize()).observe(root);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { this.painter.readColours(); this.redraw(); });
    this.#listen();
    this.#resize();
  }

  #resize() {
    const { width, height } = this.root.getBoundingClientRect();
    if (!width || !height) return;
    const atFit = !this.view || this.view.scale <= this.scaleMin * 1.01;
    this.width = width;
    this.height = height;
    this.ratio = Math.min(window.devicePixelRatio || 1, 2);
    this.canvas.width = Math.round(width * this.ratio);
    this.canvas.height = Math.round(height * this.ratio);
    this.painter.resize(width, height, this.ratio);
    const { left, top, right, bottom } = this.plan.bounds;
    const stage = this.painter.hasStage() ? (right - left) * 0.1 : 0;
    const edge = Math.max(this.plan.pitch * 2, (right - left) * 0.02);
    this.middle = { x: (left + right) / 2, y: (top - stage + bottom) / 2 };
    this.scaleMin = Math.min(width / (right - left + 2 * edge), height / (bottom - top + stage + 2 * edge));
    this.scaleMax = Math.max(SEAT_PIXELS_MAX / this.plan.pitch, this.scaleMin * 2);
    if (atFit) this.view = { scale: this.scaleMin, ...this.middle };
    this.redraw();
  }

  redraw() {
    this.stale = true;
    this.#request();
  }

  // Repaints some seats.
  changed(places) {
    for (const place of places) this.dirty.add(place);
    this.#request();
  }

  #request() {
    this.frame ??= requestAnimationFrame(() => this.#paint());
  }

  #paint() {
    this.frame = null;
    if (!this.view) return;
    const began = performance.now();
    const moved = !this.painter.view || this.painter.view.scale !== this.view.scale || this.painter.view.x !== this.view.x || this.painter.view.y !== this.view.y;
    const isSlow = this.lastDraw > SLOW_DRAW_MS && this.moving;
    if ((this.stale || moved) && !(isSlow && !this.stale)) {
      this.painter.draw(this.view);
      this.lastDraw = performance.now() - began;
      this.stale = false;
      this.dirty.clear();
    } else if (this.dirty.size) {
      this.painter.repaint(this.dirty);
      this.dirty.clear();
    }
    this.#blit();
    this.#marks();
    this.on.drawn();
  }

  #blit() {
    const { pen, painter, view, ratio } = this;
    const from = painter.view;
    pen.setTransform(1, 0, 0, 1, 0, 0);
    if (from.scale === view.scale && from.x === view.x && from.y === view.y) {
      pen.drawImage(painter.picture, 0, 0);
      return;
    }
    const zoom = view.scale / from.scale;
    pen.fillStyle = painter.colours.ground;
    pen.fillRect(0, 0, this.canvas.width, this.canvas.height);
    const { width, height } = this.canvas;
    pen.setTransform(zoom, 0, 0, zoom, width / 2 - (width / 2) * zoom + (from.x - view.x) * view.scale * ratio, height / 2 - (height / 2) * zoom + (from.y - view.y) * view.scale * ratio);
    pen.drawImage(painter.picture, 0, 0);
    pen.setTransform(1, 0, 0, 1, 0, 0);
  }

  // Marks the buyer's seats: chosen, reserved, hovered and focused ones.
  #marks() {
    const { pen, ratio, plan } = this;
    const style = getComputedStyle(document.documentElement);
    const size = Math.max(this.seatSize() * 0.5, 5) * ratio;
    const at = (place) => { const { x, y } = this.toScreen(place); return [x * ratio, y * ratio]; };
    for (const place of this.chosen()) {
      if (Number.isNaN(plan.x[place])) continue;
      const [x, y] = at(place);
      pen.beginPath();
      pen.arc(x, y, size + 2.5 * ratio, 0, 7);
      pen.fillStyle = style.getPropertyValue("--surface");
      pen.fill();
      pen.beginPath();
      pen.arc(x, y, size + ratio, 0, 7);
      pen.fillStyle = style.getPropertyValue("--accent");
      pen.fill();
      pen.strokeStyle = style.getPropertyValue("--accent-ink");
      pen.lineWidth = Math.max(1.5 * ratio, size * 0.22);
      pen.lineCap = pen.lineJoin = "round";
      pen.beginPath();
      pen.moveTo(x - size * 0.45, y + size * 0.05);
      pen.lineTo(x - size * 0.1, y + size * 0.4);
      pen.lineTo(x + size * 0.5, y - size * 0.38);
      pen.stroke();
    }
    // Reserved seats have a ring.
    for (const place of plan.reserved) {
      if (place >= plan.count || Number.isNaN(plan.x[place])) continue;
      const [x, y] = at(place);
      pen.beginPath();
      pen.arc(x, y, size + ratio, 0, 7);
      pen.strokeStyle = style.getPropertyValue("--accent");
      pen.lineWidth = Math.max(2.5 * ratio, size * 0.3);
      pen.stroke();
    }
    for (const [place, width] of [[this.hovered, 2], [document.activeElement === this.canvas ? this.focus : -1, 3]]) {
      if (place < 0) continue;
      const [x, y] = at(place);
      pen.beginPath();
      pen.arc(x, y, size + 3.5 * ratio, 0, 7);
      pen.strokeStyle = style.getPropertyValue("--ink");
      pen.lineWidth = width * ratio;
      pen.stroke();
    }
  }

  seatSize() { return this.plan.pitch * this.view.scale * 0.82; }

  // The position of a seat on the canvas in CSS pixels.
  toScreen(place) {
    const { view, plan } = this;
    return { x: (plan.x[place] - view.x) * view.scale + this.width / 2, y: (plan.y[place] - view.y) * view.scale + this.height / 2 };
  }

  #toPlan(x, y) {
    const { view } = this;
    return { x: (x - this.width / 2) / view.scale + view.x, y: (y - this.height / 2) / view.scale + view.y };
  }

  #clamp() {
    const { view } = this;
    const { left, top, right, bottom } = this.plan.bounds;
    view.scale = Math.min(this.scaleMax, Math.max(this.scaleMin, view.scale));
    if (view.scale <= this.scaleMin * 1.001) Object.assign(view, this.middle);
    view.x = Math.min(right, Math.max(left, view.x));
    view.y = Math.min(bottom, Math.max(top, view.y));
    this.canvas.style.touchAction = view.scale <= this.scaleMin * 1.01 ? "pan-y" : "none";
  }

  // During a movement the old picture is shifted; shortly after it the picture is drawn again.
  #move(change) {
    change();
    this.#clamp();
    this.moving = true;
    clearTimeout(this.settle);
    this.settle = setTimeout(() => { this.moving = false; this.redraw(); }, 90);
    this.#request();
  }

  zoomAt(x, y, factor) {
    this.#move(() => {
      const before = this.#toPlan(x, y);
      this.view.scale = Math.min(this.scaleMax, Math.max(this.scaleMin, this.view.scale * factor));
      const after = this.#toPlan(x, y);
      this.view.x += before.x - after.x;
      this.view.y += before.y - after.y;
    });
  }

  showAll() { this.#glide({ scale: this.scaleMin, ...this.middle }); }

  // Brings a seat into the middle, large enough to choose.
  show(place) {
    const target = { scale: Math.max(this.view.scale, 22 / this.plan.pitch), x: this.plan.x[place], y: this.plan.y[place] };
    this.#glide(target);
  }

  #glide(target) {
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) { this.#move(() => Object.assign(this.view, target)); return; }
    const from = { ...this.view }, began = performance.now();
    const step = () => {
      const t = Math.min(1, (performance.now() - began) / 260), ease = 1 - (1 - t) ** 3;
      this.#move(() => {
        this.view.scale = from.scale * (target.scale / from.scale) ** ease;
        this.view.x = from.x + (target.x - from.x) * ease;
        this.view.y = from.y + (target.y - from.y) * ease;
      });
      if (t < 1) this.gliding = requestAnimationFrame(step);
    };
    cancelAnimationFrame(this.gliding);
    step();
  }

  seatAt(x, y, coarse) {
    const point = this.#toPlan(x, y);
    const reach = Math.max(this.seatSize() * 0.62, coarse ? 14 : 5) / this.view.scale;
    return this.plan.nearest(point.x, point.y, reach);
  }

  #tap(x, y, coarse) {
    const place = this.seatAt(x, y, coarse);
    if (this.seatSize() < CHOOSABLE_PIXELS_MIN && this.plan.rows.length) {
      const at = this.#toPlan(x, y);
      const near = place >= 0 ? place : this.plan.nearest(at.x, at.y, this.plan.pitch * 8);
      if (near >= 0) this.#glide({ scale: 20 / this.plan.pitch, x: at.x, y: at.y });
      else this.#tapArea(at);
      return;
    }
    if (place >= 0) this.on.choose(place);
    else this.#tapArea(this.#toPlan(x, y));
  }

  #tapArea({ x, y }) {
    const inside = (outline) => outline.reduce((odd, [px, py], at) => {
      const [qx, qy] = outline[(at + outline.length - 1) % outline.length];
      return (py > y) !== (qy > y) && x < ((qx - px) * (y - py)) / (qy - py) + px ? !odd : odd;
    }, false);
    const index = this.plan.config.areas.findIndex((area) => !area.seated && area.outline.length && inside(area.outline));
    if (index >= 0) this.on.area(index);
  }

  #listen() {
    const { canvas } = this;
    const local = (event) => { const box = canvas.getBoundingClientRect(); return { x: event.clientX - box.left, y: event.clientY - box.top }; };
    canvas.addEventListener("pointerdown", (event) => {
      this.pointers.set(event.pointerId, local(event));
      canvas.setPointerCapture(event.pointerId);
      this.travelled = this.pointers.size > 1 ? Infinity : 0;
    });
    canvas.addEventListener("pointermove", (event) => {
      const now = local(event), before = this.pointers.get(event.pointerId);
      if (!before) { this.#hover(event, now); return; }
      if (this.pointers.size === 2) this.#pinch(event.pointerId, before, now);
      else {
        this.travelled += Math.hypot(now.x - before.x, now.y - before.y);
        if (this.travelled > TAP_MOVE_PIXELS_MAX) this.#move(() => { this.view.x -= (now.x - before.x) / this.view.scale; this.view.y -= (now.y - before.y) / this.view.scale; });
      }
      this.pointers.set(event.pointerId, now);
    });
    const lift = (event) => {
      const was = this.pointers.delete(event.pointerId);
      if (was && event.type === "pointerup" && this.travelled <= TAP_MOVE_PIXELS_MAX) { const { x, y } = local(event); this.#tap(x, y, event.pointerType !== "mouse"); }
    };
    canvas.addEventListener("pointerup", lift);
    canvas.addEventListener("pointercancel", lift);
    canvas.addEventListener("pointerleave", () => this.#setHover(-1));
    canvas.addEventListener("wheel", (event) => {
      event.preventDefault();
      const { x, y } = local(event);
      this.zoomAt(x, y, Math.exp(-event.deltaY * (event.ctrlKey ? 0.01 : 0.0018)));
    }, { passive: false });
    canvas.addEventListener("keydown", (event) => this.#key(event));
    for (const name of ["focus", "blur"]) canvas.addEventListener(name, () => this.#request());
    this.root.addEventListener("click", (event) => {
      const tool = event.target.closest("[data-zoom]")?.dataset.zoom;
      if (tool === "all") this.showAll();
      else if (tool) this.#glide({ ...this.view, scale: this.view.scale * (tool === "in" ? 1.8 : 1 / 1.8) });
    });
  }

  #pinch(id, before, now) {
    const other = [...this.pointers].find(([key]) => key !== id)[1];
    const distance = (a) => Math.hypot(a.x - other.x, a.y - other.y) || 1;
    this.#move(() => { this.view.x -= (now.x - before.x) / 2 / this.view.scale; this.view.y -= (now.y - before.y) / 2 / this.view.scale; });
    this.zoomAt((now.x + other.x) / 2, (now.y + other.y) / 2, distance(now) / distance(before));
  }

  #hover(event, { x, y }) {
    if (event.pointerType !== "mouse") return;
    this.#setHover(this.seatSize() < 3 ? -1 : this.seatAt(x, y, false));
  }

  #setHover(place) {
    if (place === this.hovered) return;
    this.hovered = place;
    this.canvas.style.cursor = place >= 0 && this.plan.canChoose(place) ? "pointer" : "grab";
    const at = place >= 0 ? this.toScreen(place) : { x: 0, y: 0 };
    this.on.hover(place, at.x, at.y);
    this.#request();
  }

  #key(event) {
    const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (step) this.#walk(...step);
    else if (event.key === "Enter" || event.key === " ") { if (this.focus >= 0) this.on.choose(this.focus); }
    else if (event.key === "+" || event.key === "=") this.zoomAt(this.width / 2, this.height / 2, 1.5);
    else if (event.key === "-") this.zoomAt(this.width / 2, this.height / 2, 1 / 1.5);
    else if (event.key === "0") this.showAll();
    else return;
    event.preventDefault();
  }

  // To the next seat in a direction: the nearest within a cone.
  #walk(dx, dy) {
    const { plan } = this;
    if (!plan.rows.length) return;
    if (this.focus < 0) this.focus = plan.nearest(this.view.x, this.view.y, this.plan.bounds.right - this.plan.bounds.left, (place) => plan.canChoose(place));
    else {
      const x = plan.x[this.focus], y = plan.y[this.focus];
      let best = -1, bestCost = Infinity;
      const reach = plan.pitch * 12;
      plan.within(x - reach, y - reach, x + reach, y + reach, (place) => {
        const along = (plan.x[place] - x) * dx + (plan.y[place] - y) * dy, aside = Math.abs((plan.x[place] - x) * dy) + Math.abs((plan.y[place] - y) * dx);
        const cost = along + aside * 2.2;
        if (along > plan.pitch * 0.2 && cost < bestCost) { best = place; bestCost = cost; }
      });
      if (best >= 0) this.focus = best;
    }
    if (this.focus < 0) return;
    this.show(this.focus);
    this.on.focus(this.focus);
    this.#request();
  }
}
