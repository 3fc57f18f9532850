// Draws the plan into an offscreen canvas: tiny seats as pixels, larger ones from sprites; a changed seat repaints only itself.

import { ACCESSIBLE, COMPANION, RESTRICTED } from "./plan.js";

// Seats up to this size, in device pixels, are written as pixels.
const DOT_PIXELS_MAX = 6;
export const FREE = 0, HELD = 1;

// Black or white: the one with more contrast on a colour given as bytes (WCAG's relative luminance).
export function inkOn([r, g, b]) {
  const linear = (byte) => { const part = byte / 255; return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4; };
  const luminance = 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
  return 1.05 / (luminance + 0.05) >= (luminance + 0.05) / 0.05 ? "#fff" : "#000";
}

export class Painter {
  constructor(plan) {
    this.plan = plan;
    this.picture = document.createElement("canvas");
    this.pen = this.picture.getContext("2d", { alpha: false });
    this.dots = document.createElement("canvas");
    this.dotPen = this.dots.getContext("2d", { willReadFrequently: true });
    this.readColours();
  }

  readColours() {
    const style = getComputedStyle(document.documentElement);
    const colour = (name) => style.getPropertyValue(name).trim();
    this.colours = {
      ground: colour("--map-ground"), area: colour("--map-area"), line: colour("--map-line"), text: colour("--ink"), soft: colour("--muted"),
      held: colour("--seat-held"), taken: colour("--seat-taken"), stage: colour("--map-stage"),
      categories: this.plan.config.categories.map((_, at) => colour(`--cat-${at % 8}`)),
    };
    const probe = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
    const bytes = (text) => {
      probe.fillStyle = text;
      probe.fillRect(0, 0, 1, 1);
      return probe.getImageData(0, 0, 1, 1).data;
    };
    const pixel = (text) => {
      const [r, g, b] = bytes(text);
      return (255 << 24) | (b << 16) | (g << 8) | r;
    };
    this.colours.inks = this.colours.categories.map((text) => inkOn(bytes(text)));
    this.pixels = { held: pixel(this.colours.held), taken: pixel(this.colours.taken), categories: this.colours.categories.map(pixel) };
    this.sprites = new Map();
  }

  resize(width, height, ratio) {
    this.ratio = ratio;
    for (const canvas of [this.picture, this.dots]) {
      canvas.width = Math.max(1, Math.round(width * ratio));
      canvas.height = Math.max(1, Math.round(height * ratio));
    }
  }

  // view: {scale, x, y}: CSS pixels per unit, and the plan's point in the middle.
  draw(view) {
    const { pen, picture, ratio } = this;
    this.view = { ...view };
    const scale = (this.scale = view.scale * ratio);
    this.offsetX = picture.width / 2 - view.x * scale;
    this.offsetY = picture.height / 2 - view.y * scale;
    // From afar seats grow together, so that blocks show as blocks.
    const pitch = this.plan.pitch * scale;
    this.side = pitch < 2.4 ? Math.ceil(pitch * 1.3) : Math.max(1, pitch * 0.82);
    pen.setTransform(1, 0, 0, 1, 0, 0);
    pen.fillStyle = this.colours.ground;
    pen.fillRect(0, 0, picture.width, picture.height);
    this.#areas();
    this.#stage();
    if (this.side <= DOT_PIXELS_MAX) this.#drawDots();
    else this.#stamp();
    this.#names();
  }

  #toX(x) { return x * this.scale + this.offsetX; }
  #toY(y) { return y * this.scale + this.offsetY; }

  #trace(points) {
    this.pen.beginPath();
    points.forEach(([x, y], at) => (at ? this.pen.lineTo(this.#toX(x), this.#toY(y)) : this.pen.moveTo(this.#toX(x), this.#toY(y))));
    this.pen.closePath();
  }

  // Areas with an outline are filled; of others each row is a broad stroke, which makes the shape of the block.
  #areas() {
    const { pen, plan, colours } = this;
    pen.lineJoin = pen.lineCap = "round";
    for (const area of plan.config.areas) {
      if (!area.outline.length) continue;
      this.#trace(area.outline);
      pen.fillStyle = colours.area;
      pen.fill();
      pen.strokeStyle = colours.line;
      pen.lineWidth = this.ratio;
      pen.stroke();
      if (!area.seated) this.#standing(area);
    }
    pen.strokeStyle = colours.area;
    pen.lineWidth = plan.pitch * 2.3 * this.scale;
    pen.beginPath();
    for (const row of plan.rows) {
      if (plan.config.areas[row.area].outline.length) continue;
      pen.moveTo(this.#toX(plan.x[row.first]), this.#toY(plan.y[row.first]));
      for (let place = row.first + 1; place < row.end; place++) {
        const gap = Math.hypot(plan.x[place] - plan.x[place - 1], plan.y[place] - plan.y[place - 1]);
        const [x, y] = [this.#toX(plan.x[place]), this.#toY(plan.y[place])];
        if (gap > plan.pitch * 2.1) pen.moveTo(x, y);
        else pen.lineTo(x, y);
      }
    }
    pen.stroke();
  }

  // A standing area is as strong in colour as it is free.
  #standing(area) {
    const { pen, plan } = this;
    const share = area.counts ? area.counts.free / Math.max(1, area.count) : 1;
    pen.globalAlpha = share === 0 ? 0.12 : 0.22 + 0.5 * share;
    pen.fillStyle = share === 0 ? this.colours.taken : this.colours.categories[plan.category[area.first]];
    pen.fill();
    pen.globalAlpha = 1;
  }

  // The stage in front of the seats, or the field that they surround.
  #stage() {
    const { pen, plan, colours } = this;
    const { left, right, top } = plan.bounds;
    const [fx, fy] = plan.config.areas.find((area) => area.focus)?.focus ?? plan.config.focus;
    pen.fillStyle = colours.stage;
    pen.beginPath();
    let label;
    const room = this.#room(fx, fy);
    if (room) {
      pen.roundRect(this.#toX(fx - room.x), this.#toY(fy - room.y), 2 * room.x * this.scale, 2 * room.y * this.scale, 8 * this.ratio);
      label = ["Field", fx, fy];
    } else {
      const width = (right - left) * 0.34;
      const height = width * 0.16;
      const bottom = Math.min(fy, top) - plan.pitch * (plan.rows.length ? 1.5 : -2);
      const middle = plan.rows.length ? fx : 0;
      pen.roundRect(this.#toX(middle - width / 2), this.#toY(bottom - height), width * this.scale, height * this.scale, [4 * this.ratio, 4 * this.ratio, 40 * this.ratio, 40 * this.ratio]);
      label = ["Stage", middle, bottom - height / 2];
    }
    pen.fill();
    this.#write(label[0], label[1], label[2], 12, colours.soft);
  }

  // True if a stage is drawn above the places, beyond their bounds.
  hasStage() {
    return !this.#room(...(this.plan.config.areas.find((area) => area.focus)?.focus ?? this.plan.config.focus));
  }

  // The free room around a point that seats surround, as half a width and half a height; null if seats do not surround it.
  #room(fx, fy) {
    if (this.roomAround !== undefined) return this.roomAround;
    const { plan } = this;
    if (!plan.rows.length) return (this.roomAround = null);
    const { left, right, top, bottom } = plan.bounds;
    let x = Infinity, y = Infinity;
    for (const { first, end } of plan.rows) {
      for (let place = first; place < end; place++) {
        const dx = Math.abs(plan.x[place] - fx), dy = Math.abs(plan.y[place] - fy);
        if (dy < plan.pitch * 4) x = Math.min(x, dx);
        if (dx < plan.pitch * 4) y = Math.min(y, dy);
      }
    }
    const inside = fx - left > (right - left) / 4 && right - fx > (right - left) / 4 && fy - top > (bottom - top) / 4 && bottom - fy > (bottom - top) / 4;
    this.roomAround = inside && isFinite(x) && isFinite(y) ? { x: x * 0.86, y: y * 0.84 } : null;
    return this.roomAround;
  }

  #drawDots() {
    const { plan, dots, pixels } = this;
    const { width, height } = dots;
    const image = this.dotPen.createImageData(width, height);
    const buffer = new Uint32Array(image.data.buffer);
    const side = Math.max(1, Math.round(this.side)), half = side / 2;
    const { x, y, state, category, count } = plan;
    for (let place = 0; place < count; place++) {
      const left = Math.round(x[place] * this.scale + this.offsetX - half);
      const top = Math.round(y[place] * this.scale + this.offsetY - half);
      if (!(left >= 0) || top < 0 || left + side > width || top + side > height) continue;
      const colour = state[place] === 0 ? pixels.categories[category[place]] : state[place] === 1 ? pixels.held : pixels.taken;
      for (let line = 0; line < side; line++) {
        const start = (top + line) * width + left;
        for (let at = start; at < start + side; at++) buffer[at] = colour;
      }
    }
    this.dotPen.putImageData(image, 0, 0);
    this.pen.drawImage(dots, 0, 0);
  }

  #visible(act) {
    const { picture, scale, plan } = this;
    const edge = plan.pitch;
    plan.within(-this.offsetX / scale - edge, -this.offsetY / scale - edge, (picture.width - this.offsetX) / scale + edge, (picture.height - this.offsetY) / scale + edge, act);
  }

  #stamp() {
    this.#visible((place) => this.#stampSeat(place));
    const perSeat = this.side / this.ratio;
    if (perSeat < 17) return;
    const { pen, plan } = this;
    pen.font = `600 ${Math.round(Math.min(13, perSeat * 0.42) * this.ratio)}px system-ui, sans-serif`;
    pen.textAlign = "center";
    pen.textBaseline = "middle";
    this.#visible((place) => this.#number(place));
  }

  #number(place) {
    if (this.side / this.ratio < 17) return;
    this.pen.fillStyle = this.plan.state[place] === 0 ? this.colours.inks[this.plan.category[place]] : this.colours.text;
    this.pen.fillText(this.plan.labels[place], this.#toX(this.plan.x[place]), this.#toY(this.plan.y[place]));
  }

  #stampSeat(place) {
    const { plan } = this;
    const sprite = this.#sprite(plan.state[place], plan.category[place], plan.flags[place]);
    this.pen.drawImage(sprite, Math.round(this.#toX(plan.x[place]) - sprite.width / 2), Math.round(this.#toY(plan.y[place]) - sprite.height / 2));
  }

  #sprite(state, category, flags) {
    const side = Math.round(this.side);
    const key = `${side}/${state === 0 ? `${category}/${flags}` : state}`;
    let sprite = this.sprites.get(key);
    if (sprite) return sprite;
    if (this.sprites.size > 400) this.sprites.clear();
    sprite = document.createElement("canvas");
    sprite.width = sprite.height = side + 2;
    const pen = sprite.getContext("2d");
    const middle = sprite.width / 2;
    const shape = (inset) => { pen.beginPath(); pen.roundRect(1 + inset, 1 + inset, side - 2 * inset, side - 2 * inset, side * (flags & ACCESSIBLE ? 0.1 : 0.34)); };
    if (state === 0) {
      pen.fillStyle = this.colours.categories[category];
      shape(0);
      pen.fill();
      if (flags & RESTRICTED) { pen.fillStyle = "rgb(255 255 255 / .45)"; pen.beginPath(); pen.rect(middle, 1, side / 2, side); pen.save(); shape(0); pen.clip(); pen.fillRect(1, 1 + side * 0.76, side, side); pen.restore(); }
      if (flags & (ACCESSIBLE | COMPANION) && side < 17 * this.ratio) { pen.fillStyle = this.colours.inks[category]; pen.beginPath(); pen.arc(middle, middle, side * (flags & ACCESSIBLE ? 0.24 : 0.13), 0, 7); pen.fill(); }
    } else if (state === HELD) {
      pen.strokeStyle = this.colours.held;
      pen.lineWidth = Math.max(1.5, side * 0.14);
      shape(pen.lineWidth / 2 + side * 0.06);
      pen.stroke();
    } else {
      pen.fillStyle = this.colours.taken;
      pen.beginPath();
      pen.arc(middle, middle, side * 0.24, 0, 7);
      pen.fill();
    }
    this.sprites.set(key, sprite);
    return sprite;
  }

  // Repaints single seats.
  repaint(places) {
    const { pen, plan, colours } = this;
    const side = Math.max(1, Math.round(this.side));
    for (const place of places) {
      if (Number.isNaN(plan.x[place])) continue;
      const left = Math.round(this.#toX(plan.x[place]) - side / 2), top = Math.round(this.#toY(plan.y[place]) - side / 2);
      if (this.side <= DOT_PIXELS_MAX) {
        pen.fillStyle = plan.state[place] === 0 ? colours.categories[plan.category[place]] : plan.state[place] === 1 ? colours.held : colours.taken;
        pen.fillRect(left, top, side, side);
      } else {
        pen.fillStyle = colours.area;
        pen.fillRect(left - 1, top - 1, side + 2, side + 2);
        this.#stampSeat(place);
        if (this.side / this.ratio >= 17) {
          pen.font = `600 ${Math.round(Math.min(13, this.side / this.ratio * 0.42) * this.ratio)}px system-ui, sans-serif`;
          pen.textAlign = "center";
          pen.textBaseline = "middle";
          this.#number(place);
        }
      }
    }
  }

  // Names of areas from afar, of rows from near.
  #names() {
    const { plan } = this;
    const seat = this.side / this.ratio;
    if (seat < 9) {
      for (const area of this.#anchors()) {
        const room = (area.width * this.scale) / this.ratio;
        const fitting = room / (area.name.length * 0.8);
        const size = Math.min(13, area.seated || fitting < 5.5 ? fitting : Math.max(10, fitting));
        if (size >= 7) this.#write(area.name, area.x, area.y, size, this.colours.text, true);
      }
    } else {
      for (const row of plan.rows) {
        const [a, b] = [row.first, Math.min(row.first + 1, row.end - 1)];
        const length = Math.hypot(plan.x[b] - plan.x[a], plan.y[b] - plan.y[a]) || 1;
        const margin = plan.pitch * 1.05;
        const x = plan.x[a] - ((plan.x[b] - plan.x[a]) / length) * margin, y = plan.y[a] - ((plan.y[b] - plan.y[a]) / length) * margin;
        this.#write(row.name, x, y, Math.min(12, seat * 0.62), this.colours.soft);
      }
    }
  }

  #anchors() {
    if (this.anchors) return this.anchors;
    const { plan } = this;
    this.anchors = plan.config.areas.map((area, at) => {
      let x = 0, y = 0, count = 0, left = Infinity, right = -Infinity;
      const add = (px, py) => { x += px; y += py; count++; left = Math.min(left, px); right = Math.max(right, px); };
      if (area.outline.length) area.outline.forEach(([px, py]) => add(px, py));
      else for (const row of plan.rows) if (row.area === at) for (let place = row.first; place < row.end; place++) add(plan.x[place], plan.y[place]);
      return count ? { name: plan.config.areas.length > 12 ? area.name.replace(/^\D+(?=\d)/, "") : area.name, x: x / count, y: y / count, width: right - left, seated: area.seated } : null;
    }).filter(Boolean);
    return this.anchors;
  }

  #write(text, x, y, size, colour, halo = false) {
    const { pen } = this;
    const [px, py] = [this.#toX(x), this.#toY(y)];
    if (px < -50 || py < -50 || px > this.picture.width + 50 || py > this.picture.height + 50) return;
    pen.font = `600 ${Math.round(size * this.ratio)}px system-ui, sans-serif`;
    pen.textAlign = "center";
    pen.textBaseline = "middle";
    if (halo) {
      pen.lineWidth = 3 * this.ratio;
      pen.strokeStyle = this.colours.area;
      pen.strokeText(text, px, py);
    }
    pen.fillStyle = colour;
    pen.fillText(text, px, py);
  }
}
