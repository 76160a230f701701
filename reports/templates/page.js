"use strict";
// What the scripts of the page share, and what its first level does by itself.
const Pedalframe = { content: {} };
{
  for (const button of document.querySelectorAll("button.copy")) {
    button.addEventListener("click", async () => {
      const name = button.textContent;
      try {
        await navigator.clipboard.writeText(button.dataset.copy);
        button.textContent = "Copied";
      } catch {
        button.textContent = button.dataset.copy; // to be copied by hand
        return;
      }
      setTimeout(() => { button.textContent = name; }, 1500);
    });
  }

  // A link into the evidence opens it.
  const evidence = document.getElementById("evidence");
  const show = () => {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!target || !evidence.contains(target)) return;
    evidence.open = true;
    target.scrollIntoView();
  };
  addEventListener("hashchange", show);
  show();

  // The side navigation marks where one is.
  const links = new Map(
    [...document.querySelectorAll("nav.side a")].map((link) => [link.hash.slice(1), link]),
  );
  const seen = new IntersectionObserver((entries) => {
    for (const { isIntersecting, target } of entries) {
      if (!isIntersecting) continue;
      for (const link of links.values()) link.removeAttribute("aria-current");
      const link = links.get(target.id);
      link.setAttribute("aria-current", "true");
      const nav = link.parentElement; // scrolled by hand: the page itself stays where it is
      nav.scrollTo({ top: link.offsetTop - nav.clientHeight / 2, left: link.offsetLeft - 20 });
    }
  }, { rootMargin: "-20% 0px -75% 0px" });
  for (const name of links.keys()) seen.observe(document.getElementById(name));
}
