// The form of a broadcast: a preview as one types, and buttons that put tags around what is selected.
const compose = document.querySelector("form[data-compose]");
if (compose) {
  const file = document.getElementById("file");
  let waiting, running, uploading, again;
  const preview = async () => {
    // A picture is sent once: what is typed meanwhile follows.
    if (uploading) {
      again = true;
      return;
    }
    running?.abort();
    running = new AbortController();
    const form = new FormData(compose);
    form.set("do", "preview");
    uploading = file.validity.valid ? file.files[0] : undefined;
    if (!uploading) form.delete("file");
    const body = uploading ? form : new URLSearchParams(form);
    const sent = uploading;
    try {
      const response = await fetch(compose.action, { method: "POST", body, signal: running.signal, redirect: "error", headers: { Accept: "text/html" } });
      if (!response.ok) return;
      const page = new DOMParser().parseFromString(await response.text(), "text/html");
      // The server has it now, and the form names it; or the server refused it.
      if (sent && file.files[0] === sent) file.value = "";
      for (const now of page.querySelectorAll("#preview, #audience, #picked, [data-wrong]")) {
        // What is wrong with a picture stays until another one is picked.
        if (now.id === "file-wrong" && !sent) continue;
        const before = document.getElementById(now.id);
        if (!before) continue;
        // A count that runs, or has ended, is kept while the users stay the same.
        const estimate = now.querySelector(".counted:has([data-count])");
        const counted = before.querySelector(".counted");
        if (estimate && counted && now.dataset.query === before.dataset.query) estimate.replaceWith(counted);
        before.replaceWith(now);
        const field = compose.querySelector(`[aria-describedby="${CSS.escape(now.id)}"]`);
        if (now.hasChildNodes()) field?.setAttribute("aria-invalid", "true");
        else field?.removeAttribute("aria-invalid");
      }
      countExactly();
    } catch {
      // Another preview has begun, or the server is away for a moment.
    } finally {
      if (sent) {
        uploading = undefined;
        if (again) {
          again = false;
          preview();
        }
      }
    }
  };
  file.addEventListener("input", (event) => {
    const isLarge = file.files[0]?.size > file.dataset.most;
    file.setCustomValidity(isLarge ? `The file has ${(file.files[0].size / 1048576).toFixed(1)} MiB; Telegram takes at most ${file.dataset.most / 1048576} MiB.` : "");
    // It is not sent then, and neither is the form.
    if (!file.reportValidity()) event.stopPropagation();
  });
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
