// What the pages do better with a script than without one; each works without.
"use strict";

// Times in the viewer's own zone, in the form the server wrote them in, so that nothing moves.
const two = (number) => String(number).padStart(2, "0");
function localTimes(root) {
  for (const time of root.querySelectorAll("time[datetime*='T']")) {
    const at = new Date(time.dateTime);
    if (isNaN(at)) continue;
    time.title = `${time.dateTime.slice(0, 19).replace("T", " ")} UTC`;
    const day = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
    const clock = `${two(at.getHours())}:${two(at.getMinutes())}`;
    time.textContent = `${day} ${clock}`;
  }
}
localTimes(document);
const zone = document.getElementById("zone");
if (zone) zone.textContent = Intl.DateTimeFormat().resolvedOptions().timeZone || "your local time";

// "/" goes to the search, unless somebody is writing.
const search = document.querySelector("input[type=search]");
document.addEventListener("keydown", (event) => {
  const writes = event.target.closest("input, select, textarea");
  if (event.key !== "/" || writes || event.ctrlKey || event.metaKey || event.altKey || !search) return;
  event.preventDefault();
  search.focus();
  search.select();
});

// Results as one types: the same page is fetched, and its results are taken over.
const form = document.querySelector("form[data-live]");
if (form && search) {
  let waiting, running;
  const show = async () => {
    running?.abort();
    running = new AbortController();
    const { signal } = running;
    const fields = [...new FormData(form)].filter(([, value]) => value !== "");
    const url = `${form.action}?${new URLSearchParams(fields)}`;
    const results = document.getElementById("results");
    results.setAttribute("aria-busy", "true");
    try {
      const response = await fetch(url, { signal, headers: { Accept: "text/html" } });
      // Signed out meanwhile, or an error: the browser shows it as it is.
      if (!response.ok || response.redirected) return location.assign(url);
      const page = new DOMParser().parseFromString(await response.text(), "text/html");
      const parts = ["count", "q-wrong", "dates", "results"];
      if (parts.some((id) => !page.getElementById(id))) return location.assign(url);
      localTimes(page);
      for (const id of parts) document.getElementById(id).replaceWith(page.getElementById(id));
      history.replaceState(null, "", url);
    } catch (error) {
      if (error.name !== "AbortError") results.removeAttribute("aria-busy");
    }
  };
  search.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(show, 180);
  });
}

// All on this page at once, and all who match: the boxes show who is meant. The first has no use
// without a script, and is not there then.
document.addEventListener("change", ({ target }) => {
  const one = (selector) => document.querySelector(`#results ${selector}`);
  const [all, every] = [one("[data-all]"), one("[data-every]")];
  const boxes = [...document.querySelectorAll("#results input[name=id]")];
  if (!all || !every) return;
  if (target === all || target === every) for (const box of boxes) box.checked = target.checked;
  if (boxes.some((box) => !box.checked)) every.checked = false;
  all.checked = boxes.every((box) => box.checked);
});

// What goes in parts goes on by itself.
document.querySelector("form[data-go-on]")?.submit();
