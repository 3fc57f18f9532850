// Checkout: a countdown by the server's clock, and a form that is sent once.

const box = document.getElementById("checkout");
const by = (id) => document.getElementById(id);
const SPOKEN = [300, 120, 60, 30, 10];
let whole = Number(box.dataset.left);
// The browser's wall clock is never asked: only how long the page has been open counts.
let ends = performance.now() + whole;
let spoken = Infinity;

function tick() {
  const seconds = Math.max(0, Math.ceil((ends - performance.now()) / 1000));
  by("clock-left").textContent = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
  by("clock-bar").style.width = `${Math.min(100, (100 * (ends - performance.now())) / Math.max(1, whole))}%`;
  by("clock").classList.toggle("soon", seconds <= 60);
  const due = SPOKEN.find((mark) => seconds <= mark && seconds > mark - 2 && spoken > mark);
  if (due) { spoken = due; by("clock-live").textContent = due >= 60 ? `${due / 60} ${due === 60 ? "minute" : "minutes"} left` : `${due} seconds left`; }
  if (seconds === 0) over();
}

function over() {
  clearInterval(timer);
  const had = by("forms").contains(document.activeElement);
  by("clock-over").hidden = false;
  by("clock").classList.add("over");
  // Nothing can be ordered any more: what is left is the way on.
  by("forms").hidden = true;
  if (had) by("choose-again").focus();
}

// A computer that slept, or a payment in another tab: ask how much is left.
async function ask() {
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
document.addEventListener("visibilitychange", () => { if (!document.hidden) ask(); });
addEventListener("pageshow", (event) => { if (event.persisted) { location.reload(); } });
by("order-form")?.addEventListener("submit", (event) => {
  // Giving a place back is another form's business.
  if (event.submitter?.hasAttribute("formaction")) return;
  const pay = by("pay");
  if (pay.classList.contains("busy")) { event.preventDefault(); return; }
  pay.classList.add("busy");
  pay.setAttribute("aria-busy", "true");
});
