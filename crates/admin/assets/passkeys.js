
// Passkeys: the server is asked what is to be signed, the browser asks its owner, and the answer is
// sent with the form. Binary values travel in base64url.
{
  const bytes = (text) => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
  const base64 = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer)))
    .replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
  const withBytes = (list) => (list ?? []).map((it) => ({ ...it, id: bytes(it.id) }));

  // The browser makes a passkey, or has one sign.
  async function ask({ publicKey }) {
    const options = { ...publicKey, challenge: bytes(publicKey.challenge) };
    if (publicKey.user) {
      options.user = { ...publicKey.user, id: bytes(publicKey.user.id) };
      options.excludeCredentials = withBytes(publicKey.excludeCredentials);
      return navigator.credentials.create({ publicKey: options });
    }
    options.allowCredentials = withBytes(publicKey.allowCredentials);
    return navigator.credentials.get({ publicKey: options });
  }

  // What the server checks of it.
  function answer({ id, type, rawId, response }) {
    const fields = {};
    for (const name of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"]) {
      if (response[name]) fields[name] = base64(response[name]);
    }
    if (response.attestationObject) fields.transports = response.getTransports?.() ?? [];
    return JSON.stringify({ id, type, rawId: base64(rawId), response: fields, extensions: {} });
  }

  const troubles = {
    NotAllowedError: "Cancelled or timed out. Try again.",
    InvalidStateError: "This device already has a passkey for your account.",
    NotSupportedError: "This device cannot create a passkey for this site.",
  };

  for (const form of document.querySelectorAll("form[data-passkey]")) {
    const [button, alert] = [form.querySelector("button"), form.querySelector("[role=alert]")];
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      button.disabled = true;
      alert.hidden = true;
      try {
        const body = new URLSearchParams({ form_token: form.elements.form_token.value });
        const response = await fetch(form.dataset.passkey, { method: "POST", body });
        if (!response.ok || response.redirected) throw new Error(response.status);
        form.elements.passkey.value = answer(await ask(await response.json()));
        form.submit();
      } catch (error) {
        alert.textContent = troubles[error.name] ?? "Something went wrong. Reload the page and try again.";
        alert.hidden = false;
        button.disabled = false;
      }
    });
  }

  // Where there are none, a line says why.
  for (const part of document.querySelectorAll("[data-passkey-sites]")) {
    const isHere = part.dataset.passkeySites.split(" ").includes(location.origin);
    if (isHere && window.PublicKeyCredential) continue;
    part.hidden = true;
    const why = document.querySelector(isHere ? "[data-no-passkeys]" : "[data-passkeys-elsewhere]");
    if (why) why.hidden = false;
  }
}
