"use strict";
// The controls of a deck of sounds: play, switch by buttons and keys, loop by a drag.
{
  let playing = null; // one transport at a time
  let latest = null; // whose keys count: the one that was used last

  Pedalframe.Transport = class {
    #field;
    #deck = null;
    #buttons;
    #keys;

    // `field` holds .play, .timeline with .region and .head, .time, and buttons [data-sound] in
    // the order of their keys; `wanted` is asked for a deck when there is none yet.
    constructor(field, { wanted = async () => {}, selected = () => {} } = {}) {
      this.#field = field;
      this.wanted = wanted;
      this.selected = selected;
      this.#buttons = [...field.querySelectorAll("[data-sound]")];
      this.#keys = Object.fromEntries(this.#buttons.map((own, n) => [String(n + 1), own.dataset.sound]));
      this.heard = this.#buttons.find((own) => own.getAttribute("aria-pressed") === "true")?.dataset.sound;
      latest ??= this;
      field.querySelector(".play").addEventListener("click", () => this.toggle());
      for (const button of this.#buttons) {
        button.addEventListener("click", () => this.choose(button.dataset.sound));
      }
      this.#takeDrags(field.querySelector(".timeline"));
    }

    get deck() {
      return this.#deck;
    }

    // Play from this deck from now on.
    async use(context, deck) {
      const goesOn = this.#deck?.isPlaying;
      this.pause();
      this.#deck?.close();
      this.context = context;
      this.#deck = deck;
      deck.select(this.heard);
      this.#showLoop();
      this.#follow();
      if (goesOn) await this.play();
    }

    choose(name) {
      latest = this;
      this.heard = name;
      this.#deck?.select(name);
      for (const button of this.#buttons) {
        button.setAttribute("aria-pressed", String(button.dataset.sound === name));
      }
      this.selected(name);
    }

    async play() {
      latest = this;
      if (!this.#deck) await this.wanted();
      if (!this.#deck || this.#deck.isPlaying) return;
      if (playing !== this) playing?.pause();
      playing = this;
      await this.context.resume();
      this.#deck.play();
      this.#field.querySelector(".play").textContent = "Pause";
      this.#follow();
    }

    pause() {
      this.#deck?.pause();
      this.#field.querySelector(".play").textContent = "Play";
    }

    toggle() {
      if (this.#deck?.isPlaying) this.pause();
      else this.play();
    }

    key(key) {
      if (key === " ") this.toggle();
      else if (key in this.#keys) this.choose(this.#keys[key]);
      else return false;
      return true;
    }

    // A drag loops what it passes over; a click goes back to all of it.
    #takeDrags(line) {
      let from = null;
      const at = (event) => {
        const box = line.getBoundingClientRect();
        return this.#deck.seconds * Math.min(1, Math.max(0, (event.clientX - box.left) / box.width));
      };
      line.addEventListener("pointerdown", async (event) => {
        latest = this;
        line.setPointerCapture(event.pointerId);
        if (!this.#deck) await this.wanted();
        if (this.#deck) from = at(event);
      });
      line.addEventListener("pointerup", (event) => {
        if (from === null || !this.#deck) return;
        const to = at(event);
        const isDrag = Math.abs(to - from) > 0.1;
        this.#deck.setLoop(...(isDrag ? [Math.min(from, to), Math.max(from, to)] : [0, this.#deck.seconds]));
        from = null;
        this.#showLoop();
      });
    }

    #showLoop() {
      const { from, to } = this.#deck.loop;
      const region = this.#field.querySelector(".region");
      region.hidden = to - from > this.#deck.seconds - 0.01;
      region.style.left = `${(100 * from) / this.#deck.seconds}%`;
      region.style.width = `${(100 * (to - from)) / this.#deck.seconds}%`;
    }

    #follow() {
      const deck = this.#deck;
      this.#field.querySelector(".head").style.left = `${(100 * deck.position) / deck.seconds}%`;
      this.#field.querySelector(".time").textContent = `${deck.position.toFixed(1)} / ${deck.seconds.toFixed(1)} s`;
      if (deck.isPlaying) requestAnimationFrame(() => this.#follow());
    }
  };

  document.addEventListener("keydown", (event) => {
    const { key, target } = event;
    if (event.ctrlKey || event.metaKey || event.altKey || !latest) return;
    if (target.matches('input:not([type="checkbox"]), select, textarea, summary, a, audio')) return;
    // A button that was reached with the keyboard is pressed as usual.
    if (key === " " && target.matches("button, input")) return;
    if (latest.key(key)) event.preventDefault();
  });
  // One that was pointed at keeps no focus, so that the space bar goes on to mean "play".
  document.addEventListener("click", (event) => {
    if (event.detail > 0) event.target.closest(".mixer button, .own button")?.blur();
  });

  // The players of the effects: their sounds are loaded when somebody wants to hear them.
  let context = null;
  for (const field of document.querySelectorAll(".mixer")) {
    field.hidden = false;
    const buttons = [...field.querySelectorAll("[data-sound]")];
    const said = field.querySelector(".said");
    const equalize = () => {
      const isEqual = field.querySelector(".equal").checked;
      transport.deck?.setGains(
        isEqual ? Object.fromEntries(buttons.map((own) => [own.dataset.sound, Number(own.dataset.gain)])) : {},
      );
    };
    let loading = null;
    const load = async () => {
      const tokens = Object.fromEntries(buttons.map((own) => [own.dataset.sound, own.dataset.sound]));
      try {
        context ??= new AudioContext();
        const buffers = await Pedalframe.decoded(context, tokens, field.dataset.folder);
        await transport.use(context, new Pedalframe.Deck(context, buffers));
        equalize();
        field.dataset.ready = true;
      } catch (error) {
        loading = null;
        said.textContent = error.message;
        said.hidden = false;
      }
    };
    const transport = new Pedalframe.Transport(field, { wanted: () => (loading ??= load()) });
    transport.choose(field.dataset.first);
    field.querySelector(".equal").addEventListener("change", equalize);
  }
}
