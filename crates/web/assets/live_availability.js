// Reads an event's availability once, then its changes by server-sent events; the browser resumes a broken stream by itself.

const RETRY_DELAYS_MS = [1000, 2000, 5000, 10000];

export class LiveAvailability {
  // on: {all(states, areas), some(changes, areas), fresh(), stale(ageMillis|null), ended()}
  constructor(event, count, on) {
    this.base = `/api/v1/events/${event}`;
    this.count = count;
    this.on = on;
    this.failures = 0;
    this.start();
  }

  async start() {
    try {
      const answer = await fetch(`${this.base}/availability`);
      if (!answer.ok) throw new Error(String(answer.status));
      const whole = await answer.json();
      this.#showAll(whole);
      this.#follow(`${whole.epoch}:${whole.seq}`);
      this.failures = 0;
    } catch {
      this.on.stale(null);
      this.#retryLater();
    }
  }

  #retryLater() {
    const wait = RETRY_DELAYS_MS[Math.min(this.failures++, RETRY_DELAYS_MS.length - 1)];
    setTimeout(() => this.start(), wait * (0.5 + Math.random()));
  }

  #follow(since) {
    this.source?.close();
    const source = (this.source = new EventSource(`${this.base}/stream?since=${encodeURIComponent(since)}`));
    source.addEventListener("snapshot", (message) => this.#showAll(JSON.parse(message.data)));
    source.addEventListener("delta", (message) => {
      const { changes, areas } = JSON.parse(message.data);
      this.on.some(changes, areas);
      this.on.fresh();
    });
    source.addEventListener("stale", (message) => {
      const { at, now } = JSON.parse(message.data);
      this.on.stale(Date.parse(now) - Date.parse(at));
    });
    source.addEventListener("ended", () => { source.close(); this.on.ended(); });
    source.onopen = () => this.on.fresh();
    source.onerror = () => {
      if (source.readyState === EventSource.CLOSED) { this.on.stale(null); this.#retryLater(); }
    };
  }

  #showAll({ places, areas, stale, at, now }) {
    const packed = atob(places);
    const states = new Uint8Array(this.count);
    for (let place = 0; place < this.count; place++) states[place] = (packed.charCodeAt(place >> 2) >> (2 * (place & 3))) & 3;
    this.on.all(states, areas);
    if (stale) this.on.stale(Date.parse(now) - Date.parse(at));
    else this.on.fresh();
  }
}
