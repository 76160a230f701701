"use strict";
// What the screens share: showing one, playing its sounds, keys, and telling of problems.
{
  const screen = document.getElementById("screen");
  const problem = document.getElementById("problem");
  let leave = () => {};
  let onKey = null;

  Pedalframe.announce = (text) => {
    document.getElementById("announcer").textContent = text;
  };

  // Replace the screen. Names and other words from outside enter it as text alone.
  Pedalframe.show = (template, texts = {}) => {
    leave();
    leave = () => {};
    onKey = null;
    problem.hidden = true;
    screen.replaceChildren(document.getElementById(template).content.cloneNode(true));
    for (const [selector, text] of Object.entries(texts)) {
      screen.querySelector(selector).textContent = text;
    }
    scrollTo(0, 0);
    (screen.querySelector("h2[tabindex]") ?? screen).focus({ preventScroll: true });
    return screen;
  };

  // Run something that may fail and tell of it; `button` cannot be pressed meanwhile.
  Pedalframe.attempt = async (action, button) => {
    problem.hidden = true;
    if (button) button.disabled = true;
    try {
      await action();
    } catch (error) {
      problem.textContent = error.message;
      problem.hidden = false;
      problem.scrollIntoView({ block: "nearest" });
    } finally {
      if (button) button.disabled = false;
    }
  };

  let context = null;

  // Load the sounds of a trial and connect the playback controls to them.
  // `tokens` gives the sounds by name; returns what the trial needs to switch.
  Pedalframe.player = async (tokens, buttons) => {
    const shown = screen.firstElementChild;
    const playButton = screen.querySelector(".play");
    playButton.disabled = true;
    context ??= new AudioContext({ sampleRate: Pedalframe.content.sample_rate_hz });
    const buffers = await Pedalframe.decoded(context, tokens);
    if (screen.firstElementChild !== shown) return null; // the listener has gone on
    const deck = new Pedalframe.Deck(context, buffers);
    connectTransport(deck, playButton);
    const player = {
      deck,
      select(name) {
        deck.select(name);
        for (const [own, button] of Object.entries(buttons)) {
          button.setAttribute("aria-pressed", String(own === name));
        }
      },
    };
    for (const [name, button] of Object.entries(buttons)) {
      button.addEventListener("click", () => player.select(name));
    }
    player.select(Object.keys(buttons)[0]);
    playButton.disabled = false;
    return player;
  };

  function connectTransport(deck, playButton) {
    const [from, to] = [screen.querySelector(".from"), screen.querySelector(".to")];
    const time = screen.querySelector(".time");
    const [region, head] = [screen.querySelector(".region"), screen.querySelector(".head")];
    const percent = (seconds) => `${(100 * seconds) / deck.seconds}%`;
    const spoken = (seconds) => `${seconds.toFixed(1)} s`;

    function showLoop() {
      for (const [bound, seconds] of [[from, deck.loop.from], [to, deck.loop.to]]) {
        bound.max = deck.seconds.toFixed(3);
        bound.step = "any";
        bound.value = seconds;
        bound.setAttribute("aria-valuetext", spoken(seconds));
      }
      region.style.left = percent(deck.loop.from);
      region.style.width = percent(deck.loop.to - deck.loop.from);
    }

    let frame = 0;
    function showPosition() {
      head.style.left = `min(${percent(deck.position)}, calc(100% - 3px))`;
      time.textContent = `${deck.position.toFixed(1)} / ${deck.seconds.toFixed(1)} s`;
      frame = requestAnimationFrame(showPosition);
    }

    async function toggle() {
      if (deck.isPlaying) deck.pause();
      else {
        await context.resume();
        deck.play();
      }
      playButton.textContent = deck.isPlaying ? "Pause" : "Play";
    }

    function loopTo(start, end) {
      deck.setLoop(start, end);
      showLoop();
    }

    playButton.addEventListener("click", toggle);
    from.addEventListener("change", () => loopTo(Number(from.value), deck.loop.to));
    to.addEventListener("change", () => loopTo(deck.loop.from, Number(to.value)));
    Pedalframe.transportKeys = {
      " ": toggle,
      "[": () => loopTo(deck.position, deck.loop.to),
      "]": () => loopTo(deck.loop.from, deck.position),
      "\\": () => loopTo(0, deck.seconds),
    };
    showLoop();
    showPosition();
    leave = () => {
      cancelAnimationFrame(frame);
      deck.close();
      Pedalframe.transportKeys = {};
    };
  }

  Pedalframe.transportKeys = {};

  // Let a trial take keys: `handle(key, target)` says whether it did something.
  Pedalframe.takeKeys = (handle) => {
    onKey = handle;
  };

  document.addEventListener("keydown", (event) => {
    const { key, target } = event;
    if (event.ctrlKey || event.metaKey || event.altKey || !onKey) return;
    if (target.matches('input[type="text"], select, summary, a')) return;
    // A button that was reached with the keyboard is pressed as usual.
    if (target.matches("button") && (key === " " || key === "Enter")) return;
    const transport = Pedalframe.transportKeys[key];
    if (transport) transport();
    if (transport || onKey(key, target)) event.preventDefault();
  });

  // One that was pointed at keeps no focus, so that the space bar goes on to mean "play".
  screen.addEventListener("click", (event) => {
    if (event.detail > 0 && onKey && event.target.closest("button[type=button]")) {
      screen.focus({ preventScroll: true });
    }
  });
}
