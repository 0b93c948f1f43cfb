// The form of a broadcast: a preview as one types, and buttons that put tags around what is selected.
const compose = document.querySelector("form[data-compose]");
if (compose) {
  let waiting, running;
  const preview = async () => {
    running?.abort();
    running = new AbortController();
    const body = new URLSearchParams(new FormData(compose));
    body.set("do", "preview");
    try {
      const response = await fetch(compose.action, { method: "POST", body, signal: running.signal, redirect: "error", headers: { Accept: "text/html" } });
      if (!response.ok) return;
      const page = new DOMParser().parseFromString(await response.text(), "text/html");
      for (const now of page.querySelectorAll("#preview, #audience, [data-wrong]")) {
        const before = document.getElementById(now.id);
        // A count that runs goes on while only the text changes.
        if (!before || (now.id === "audience" && now.dataset.query === before.dataset.query)) continue;
        before.replaceWith(now);
        const field = compose.querySelector(`[aria-describedby="${CSS.escape(now.id)}"]`);
        if (now.hasChildNodes()) field?.setAttribute("aria-invalid", "true");
        else field?.removeAttribute("aria-invalid");
      }
      countExactly();
    } catch {
      // Another preview has begun, or the server is away for a moment.
    }
  };
  compose.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(preview, 400);
  });
  compose.addEventListener("click", ({ target }) => {
    const button = target.closest("[data-wrap], [data-insert]");
    if (!button) return;
    const text = document.getElementById(button.closest("[data-tools]").dataset.tools);
    const { selectionStart: start, selectionEnd: end, value } = text;
    const { wrap, insert } = button.dataset;
    const inside = value.slice(start, end);
    const opening = wrap === "a" ? '<a href="https://">' : `<${wrap}>`;
    text.focus();
    text.setRangeText(insert ?? `${opening}${inside}</${wrap}>`, start, end, "end");
    // The caret stands where one types next: in the address, or between the tags.
    if (wrap === "a") text.setSelectionRange(start + opening.length - 2, start + opening.length - 2);
    else if (wrap && !inside) text.setSelectionRange(start + opening.length, start + opening.length);
    text.dispatchEvent(new Event("input", { bubbles: true }));
  });
}
