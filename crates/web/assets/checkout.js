// Counts a hold's time down by the server's clock, and lets the checkout form be sent once.

const box = document.getElementById("checkout");
const by = (id) => document.getElementById(id);
// Remaining seconds that screen readers speak.
const SPOKEN_SECONDS = [300, 120, 60, 30, 10];
const whole = Number(box.dataset.left);
// The browser's wall clock may be wrong: only the time since the page was opened is used.
let ends = performance.now() + whole;
let spoken = Infinity;

function tick() {
  const seconds = Math.max(0, Math.ceil((ends - performance.now()) / 1000));
  by("clock-left").textContent = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
  by("clock-bar").style.width = `${Math.min(100, (100 * (ends - performance.now())) / Math.max(1, whole))}%`;
  by("clock").classList.toggle("soon", seconds <= 60);
  const due = SPOKEN_SECONDS.find((mark) => seconds <= mark && seconds > mark - 2 && spoken > mark);
  if (due) { spoken = due; by("clock-live").textContent = due >= 60 ? `${due / 60} ${due === 60 ? "minute" : "minutes"} left` : `${due} seconds left`; }
  if (seconds === 0) expire();
}

function expire() {
  clearInterval(timer);
  const hadFocus = by("forms").contains(document.activeElement);
  by("clock-over").hidden = false;
  by("clock").classList.add("over");
  // Nothing can be ordered any more; the notice links to the event.
  by("forms").hidden = true;
  if (hadFocus) by("choose-again").focus();
}

// Reads the time left again after sleep or after a payment in another tab.
async function readTimeLeft() {
  const { hold, token } = box.dataset;
  const answer = await fetch(`/api/v1/holds/${hold}`, { headers: { "X-Token": token } }).catch(() => null);
  if (!answer) return;
  if (answer.status === 410) { location.reload(); return; }
  if (!answer.ok) return;
  const { expires_at: expires, now } = await answer.json();
  ends = performance.now() + (Date.parse(expires) - Date.parse(now));
  tick();
}

const timer = setInterval(tick, 500);
tick();
document.addEventListener("visibilitychange", () => { if (!document.hidden) readTimeLeft(); });
addEventListener("pageshow", (event) => { if (event.persisted) { location.reload(); } });
by("order-form")?.addEventListener("submit", (event) => {
  // Buttons with `formaction` send another request than the order.
  if (event.submitter?.hasAttribute("formaction")) return;
  const pay = by("pay");
  if (pay.classList.contains("busy")) { event.preventDefault(); return; }
  pay.classList.add("busy");
  pay.setAttribute("aria-busy", "true");
});
