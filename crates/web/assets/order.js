// The order page, live: when the order's stream says that something has changed, the page's own content is fetched anew.

const by = (id) => document.getElementById(id);

// As pages/order/words.rs makes it.
function fingerprint({ state, payments, refunds, tickets }) {
  const join = (list) => list.map((one) => one.state).join(",");
  return [state, join(payments), join(refunds), join(tickets)].join("|");
}

let source = null;

function follow() {
  const { order, token } = by("order").dataset;
  source?.close();
  source = new EventSource(`/api/v1/orders/${order}/stream?token=${encodeURIComponent(token)}`);
  source.addEventListener("order", (message) => {
    if (fingerprint(JSON.parse(message.data)) !== by("order").dataset.fingerprint) refresh();
  });
  source.onerror = () => { if (source.readyState === EventSource.CLOSED) setTimeout(follow, 2000 + 3000 * Math.random()); };
}

async function refresh() {
  const answer = await fetch(location.href, { headers: { Accept: "text/html" } }).catch(() => null);
  if (!answer?.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const fresh = page.getElementById("order");
  if (!fresh) return;
  // The news keeps its element, so that it is read out.
  const news = by("news");
  const freshNews = fresh.querySelector("#news");
  news.className = freshNews.className;
  news.replaceChildren(...freshNews.childNodes);
  freshNews.replaceWith(news);
  by("order").replaceWith(fresh);
  prepare();
}

function prepare() {
  by("print")?.addEventListener("click", () => print());
  by("order-form")?.addEventListener("submit", (event) => {
    const pay = by("pay");
    if (pay.classList.contains("busy")) { event.preventDefault(); return; }
    pay.classList.add("busy");
  });
  clearTimeout(prepare.later);
  // Where the stream is silent for a while, one look is cheap.
  if (by("order").hasAttribute("data-follows")) prepare.later = setTimeout(refresh, 15000);
}

prepare();
follow();
addEventListener("pageshow", (event) => { if (event.persisted) refresh(); });
