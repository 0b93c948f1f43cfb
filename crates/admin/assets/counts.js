// Exact counts, which the server streams while it counts, and changes of many users as they go on.

// Counts begin for the links of a page, and end when their link or the page goes away.
const counts = new Map();
function countExactly() {
  for (const [link, source] of counts) {
    if (link.isConnected) continue;
    source.close();
    counts.delete(link);
  }
  for (const link of document.querySelectorAll("a[data-count]")) {
    if (!link.hidden && !counts.has(link)) begin(link);
  }
  function begin(link) {
    const text = link.parentElement.firstElementChild;
    const estimate = text.textContent;
    const source = new EventSource(link.href);
    const end = () => {
      source.close();
      counts.delete(link);
      link.parentElement.removeAttribute("aria-busy");
    };
    counts.set(link, source);
    link.hidden = true;
    link.parentElement.setAttribute("aria-busy", "true");
    source.addEventListener("progress", ({ data }) => (text.textContent = data));
    source.addEventListener("exact", ({ data }) => {
      end();
      text.textContent = data;
      text.dataset.exact = "";
    });
    // The stream ended without the number, or there was none: the estimate and the link stay.
    const stop = () => {
      end();
      text.textContent = estimate;
      link.hidden = false;
      link.dataset.ended = "";
    };
    source.addEventListener("failed", stop);
    source.addEventListener("error", stop);
  }
}
countExactly();
addEventListener("pagehide", () => {
  for (const [link, source] of counts) {
    source.close();
    link.hidden = false;
  }
  counts.clear();
});
// A page that comes back as it was left counts again.
addEventListener("pageshow", (event) => event.persisted && countExactly());

// The page of a broadcast shows how far it is. Once the state is another one, so is the page.
const watched = document.querySelector("[data-progress]");
if (watched) {
  let source;
  const watch = () => {
    source = new EventSource(watched.dataset.progress);
    source.addEventListener("progress", ({ data }) => {
      const now = new DOMParser().parseFromString(data, "text/html").getElementById("progress");
      const before = document.getElementById("progress");
      if (!now || now.dataset.standing !== before.dataset.standing) return location.reload();
      before.replaceWith(now);
    });
    // Such as after a sign-out: the page shows why.
    source.addEventListener("error", () => source.readyState === EventSource.CLOSED && setTimeout(() => location.reload(), 5000));
  };
  watch();
  addEventListener("pagehide", () => source.close());
  addEventListener("pageshow", (event) => event.persisted && watch());
}

// Lists of what goes on show again how far they are, without moving what has the focus.
const reload = async () => {
  const changes = document.querySelector("#changes[data-reload]");
  if (!changes) return;
  await new Promise((resolve) => setTimeout(resolve, changes.dataset.reload * 1000));
  if (document.hidden) return document.addEventListener("visibilitychange", reload, { once: true });
  try {
    const response = await fetch(location.href, { headers: { Accept: "text/html" } });
    if (!response.ok || response.redirected) return location.reload();
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    const now = page.getElementById("changes");
    if (!now) return location.reload();
    localTimes(page);
    const focused = document.activeElement?.getAttribute("aria-label");
    changes.replaceWith(now);
    if (focused) now.querySelector(`[aria-label="${CSS.escape(focused)}"]`)?.focus();
  } catch {
    // The server is away for a moment.
  }
  reload();
};
reload();
