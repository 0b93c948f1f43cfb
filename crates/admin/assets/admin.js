// What the pages do better with a script than without one; each works without.
"use strict";

// Times in the viewer's own zone, in the form the server wrote them in, so that nothing moves.
const two = (number) => String(number).padStart(2, "0");
function localTimes(root) {
  for (const time of root.querySelectorAll("time[datetime*='T']")) {
    const at = new Date(time.dateTime);
    if (isNaN(at)) continue;
    const day = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
    const clock = `${two(at.getHours())}:${two(at.getMinutes())}`;
    const exact = `${day} ${clock}`;
    time.title = `${exact} · ${time.dateTime.slice(0, 19).replace("T", " ")} UTC`;
    // "3 hours ago" is true in every zone.
    if (!("ago" in time.dataset)) time.textContent = exact;
  }
}
localTimes(document);
const zone = document.getElementById("zone");
const ownZone = Intl.DateTimeFormat().resolvedOptions().timeZone;
if (zone) zone.textContent = ownZone || "your local time";
// Days in a filter are those of this zone, so the server has to know it. A zone that it refuses is not
// sent again.
const themes = document.querySelector("form.themes");
const REFUSED = "rollcall-refused-zone";
if (zone && themes && ownZone && ![zone.dataset.zone, sessionStorage.getItem(REFUSED)].includes(ownZone)) {
  const body = new URLSearchParams(new FormData(themes));
  body.set("offset", ownZone);
  fetch(zone.dataset.set, { method: "POST", body, redirect: "manual", keepalive: true })
    .then(({ status }) => status === 400 && sessionStorage.setItem(REFUSED, ownZone))
    .catch(() => {}); // The next page sends it again.
}

// "/" goes to the search of the page, otherwise to the one in the bar, otherwise to the list, unless
// a field has the focus.
const search = document.querySelector("main input[type=search]");
const lookUp = document.getElementById("look-up");
document.addEventListener("keydown", (event) => {
  const writes = event.target.closest("input:not([type=checkbox]), select, textarea");
  if (event.key !== "/" || writes || event.ctrlKey || event.metaKey || event.altKey) return;
  const field = search ?? lookUp;
  if (!field) return;
  event.preventDefault();
  if (!field.offsetParent) return location.assign(field.dataset.list);
  field.focus();
  field.select();
});
if (location.hash === "#filter") search?.focus();

// The menu of the account closes with Esc and with a click outside of it.
const account = document.querySelector("details.account");
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || !account?.open) return;
  account.open = false;
  account.querySelector("summary").focus();
});
document.addEventListener("click", (event) => {
  if (account?.open && !account.contains(event.target)) account.open = false;
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
      const parts = ["head", "filter-wrong", "chips", "bar-actions", "by-form", "dates", "results"];
      if (parts.some((id) => !page.getElementById(id))) return location.assign(url);
      localTimes(page);
      for (const id of parts) document.getElementById(id).replaceWith(page.getElementById(id));
      showSelection();
      countExactly();
      history.replaceState(null, "", url);
    } catch (error) {
      if (error.name !== "AbortError") results.removeAttribute("aria-busy");
    }
  };
  search.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(show, 180);
  });
  document.getElementById("sort")?.addEventListener("change", () => form.requestSubmit());
}

// The ticked users, also those of other pages and searches, until the tab is closed. The box for all
// users of a list is not kept, because it means another list after a search.
const SELECTION = "rollcall-selection";
const MOST_SELECTED = 500; // as in selection.rs
const selection = new Set();
const inResults = (selector) => [...document.querySelectorAll(`#results ${selector}`)];
function readSelection() {
  selection.clear();
  for (const id of JSON.parse(sessionStorage.getItem(SELECTION) ?? "[]")) selection.add(id);
}
function showSelection() {
  sessionStorage.setItem(SELECTION, JSON.stringify([...selection]));
  const [every] = inResults("[data-every]");
  const [all] = inResults("[data-all]");
  if (!every) return;
  const boxes = inResults("input[name=id]");
  for (const box of boxes) box.checked = every.checked || selection.has(box.value);
  if (all) all.checked = boxes.length > 0 && boxes.every((box) => box.checked);
  for (const bar of inResults(".actions")) bar.classList.toggle("shown", every.checked || selection.size > 0);
  const full = selection.size >= MOST_SELECTED ? ", no more are possible" : "";
  const text = every.checked ? every.parentElement.textContent.trim().replace(/^Select /, "") + " selected" : `${selection.size} selected${full}`;
  for (const chosen of inResults("[data-chosen]")) if (chosen.textContent !== text) chosen.textContent = text;
}
document.addEventListener("change", ({ target }) => {
  if (!target.closest("form[data-selection]")) return;
  const [every] = inResults("[data-every]");
  const choose = (box) => {
    if (!box.checked) selection.delete(box.value);
    else if (selection.size < MOST_SELECTED) selection.add(box.value);
  };
  if (target !== every) {
    const boxes = inResults("input[name=id]");
    if (target.matches("[data-all]")) for (const box of boxes) box.checked = target.checked;
    // After "all users", what stays ticked on this page is selected.
    if (every.checked || target.matches("[data-all]")) for (const box of boxes) choose(box);
    else choose(target);
    every.checked = false;
  }
  showSelection();
});
document.addEventListener("reset", ({ target }) => {
  if (!target.matches("form[data-selection]")) return;
  selection.clear();
  // The boxes are reset after this event.
  setTimeout(showSelection);
});
document.addEventListener("formdata", ({ target, formData }) => {
  if (!target.matches("form[data-selection]") || formData.has("all")) return;
  formData.delete("id");
  for (const id of selection) formData.append("id", id);
});
readSelection();
if (document.querySelector("[data-deleted], form[action$='/sign-in']")) selection.clear();
// Browsers tick boxes again when they go back, after this script.
addEventListener("pageshow", () => {
  readSelection();
  showSelection();
});
showSelection();

// Copying what stands beside a button.
for (const button of document.querySelectorAll("[data-copy]")) {
  button.addEventListener("click", async () => {
    const text = document.getElementById(button.dataset.copy);
    try {
      await navigator.clipboard.writeText(text.textContent);
      button.textContent = "Copied";
    } catch {
      // Over http from another machine there is no clipboard: the id is selected instead.
      getSelection().selectAllChildren(text);
      button.textContent = "Press Ctrl+C";
    }
  });
}

// What goes in parts goes on by itself.
document.querySelector("form[data-go-on]")?.submit();
