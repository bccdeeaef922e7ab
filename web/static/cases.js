// Moves the focus through the cases. Everything else on the page works without it.
(() => {
  const cases = [...document.querySelectorAll("li.case")];
  let at = -1;
  const go = (to) => {
    if (!cases.length) return;
    at = Math.max(0, Math.min(cases.length - 1, to));
    cases[at].focus({ preventScroll: true });
    cases[at].scrollIntoView({ block: "nearest" });
  };
  document.documentElement.classList.add("scripted");
  document.addEventListener("keydown", (e) => {
    if (e.ctrlKey || e.metaKey || e.altKey) return;
    if (/^(INPUT|SELECT|TEXTAREA)$/.test(e.target.tagName)) {
      if (e.key === "Escape") e.target.blur();
      return;
    }
    const values = cases[at] && cases[at].querySelector("details");
    if (e.key === "j") go(at + 1);
    else if (e.key === "k") go(at - 1);
    else if (e.key === "o" && values) values.open = !values.open;
    else if (e.key === "/") document.getElementById("q").focus();
    else return;
    e.preventDefault();
  });
  document.getElementById("test").addEventListener("change", (e) => e.target.form.requestSubmit());
})();
