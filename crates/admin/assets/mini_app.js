
// The Mini App: Telegram passes its data in the fragment of the address, and the server checks it.
{
  const form = document.querySelector("form[data-mini-app]");
  const data = form && new URLSearchParams(location.hash.slice(1)).get("tgWebAppData");
  if (data) {
    // It stays neither in the address nor in the history.
    history.replaceState(null, "", location.pathname);
    form.elements.init_data.value = data;
    form.submit();
  }
}
