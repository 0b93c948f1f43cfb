// A range of days is a preset or two dates, never both: a preset empties the dates, and a date
// chooses "Custom dates".
document.addEventListener("input", ({ target }) => {
  const period = target.closest?.(".period");
  if (!period) return;
  const preset = period.querySelector("select");
  const dates = [...period.querySelectorAll("input")];
  if (target !== preset) preset.value = dates.some((it) => it.value) ? "dates" : "";
  else if (preset.value === "dates") dates[0].focus();
  else for (const date of dates) date.value = "";
});
