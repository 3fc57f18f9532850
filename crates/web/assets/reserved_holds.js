// Counts down the time left of the reserved holds that a page lists.

const since = performance.now();
const lines = [...document.querySelectorAll(".reserved-holds [data-left]")];

function tick() {
  for (const line of lines) {
    const seconds = Math.ceil((Number(line.dataset.left) - (performance.now() - since)) / 1000);
    const text = line.querySelector("[data-left-text]");
    if (!text) continue;
    if (seconds > 0) { text.textContent = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`; continue; }
    // The link stays, because it may have the focus; its page says what to do.
    line.querySelector("[data-left-words]").textContent = "Your time ran out; these places are free again.";
  }
}

if (lines.length) { tick(); setInterval(tick, 1000); }
