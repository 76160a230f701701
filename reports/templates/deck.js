"use strict";
// Sounds, in listening tests and in reports: loaded as scripts (the one kind of file that a page may load from the file system),
// started together in one graph, and switched by cross-fading their gains.
{
  const FADE_S = 0.008;
  const LEAD_S = 0.02; // what is scheduled nearer than this might come too late to be smooth
  const SCHEDULED_S = 2.5; // loop seams are scheduled this far ahead
  const SHORTEST_LOOP_S = 0.3;

  const awaited = new Map();

  // Each sound's script calls this with what it holds.
  Pedalframe.deliver = (token, base64) => {
    awaited.get(token)?.(Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0)).buffer);
  };

  function loaded(folder, token) {
    return new Promise((resolve, reject) => {
      const script = document.createElement("script");
      const finish = (settle) => (value) => {
        awaited.delete(token);
        script.remove();
        settle(value);
      };
      awaited.set(token, finish(resolve));
      script.onerror = () => finish(reject)(new Error("A sound could not be loaded."));
      script.src = `${folder}/${token}.js`;
      document.head.append(script);
    });
  }

  // Sounds by name, decoded by a context: {name: token} to {name: AudioBuffer}.
  Pedalframe.decoded = async (context, tokens, folder = Pedalframe.content.build) => {
    const distinct = [...new Set(Object.values(tokens))];
    const buffers = await Promise.all(
      distinct.map(async (token) => context.decodeAudioData(await loaded(folder, token))),
    );
    return Object.fromEntries(
      Object.entries(tokens).map(([name, token]) => [name, buffers[distinct.indexOf(token)]]),
    );
  };

  // Sounds of one length that run in step, of which one is heard.
  Pedalframe.Deck = class {
    #context;
    #buffers;
    #levels = new Map(); // name to {gain, from, to, start}: its last cross-fade
    #output;
    #seams;
    #sources = [];
    #startedAt = 0;
    #offset = 0;
    #seamsUntil = 0;
    #fadedBy = 0;
    #timer;
    #gains = {}; // of sounds that are not heard as they are
    #heard;

    constructor(context, buffers) {
      this.#context = context;
      this.#buffers = buffers;
      this.#output = new GainNode(context, { gain: 0 });
      this.#seams = new GainNode(context);
      this.#seams.connect(this.#output).connect(context.destination);
      this.seconds = Object.values(buffers)[0].duration;
      this.loop = { from: 0, to: this.seconds };
      this.isPlaying = false;
      for (const name of Object.keys(buffers)) {
        const gain = new GainNode(context, { gain: 0 });
        gain.connect(this.#seams);
        this.#levels.set(name, { gain: gain.gain, node: gain, from: 0, to: 0, start: 0 });
      }
    }

    // Where in the sounds the ear is, in seconds.
    get position() {
      if (!this.isPlaying) return this.#offset;
      const played = this.#offset + Math.max(0, this.#context.currentTime - this.#startedAt);
      const { from, to } = this.loop;
      return played < to ? played : from + ((played - from) % (to - from));
    }

    // Hear one sound; the others run on silently. Gains are linear, so that what two sounds
    // have in common keeps its level while one fades into the other.
    select(name, at = this.#context.currentTime + LEAD_S) {
      this.#heard = name;
      const when = Math.max(at, this.#fadedBy);
      for (const [own, level] of this.#levels) {
        const from = level.to;
        const to = own === name ? (this.#gains[own] ?? 1) : 0;
        level.gain.setValueAtTime(from, when);
        level.gain.linearRampToValueAtTime(to, when + FADE_S);
        level.to = to;
      }
      this.#fadedBy = when + FADE_S;
    }

    // Hear sounds at these gains from now on, by name; those not named as they are.
    setGains(gains) {
      this.#gains = gains;
      if (this.#heard !== undefined) this.select(this.#heard);
    }

    play(at = this.#context.currentTime + LEAD_S) {
      const { from, to } = this.loop;
      const isInside = this.#offset >= from && this.#offset < to - FADE_S;
      this.#offset = isInside ? this.#offset : from;
      this.#startedAt = at;
      this.#sources = Object.entries(this.#buffers).map(([name, buffer]) => {
        const source = new AudioBufferSourceNode(this.#context, {
          buffer, loop: true, loopStart: from, loopEnd: to,
        });
        source.connect(this.#levels.get(name).node);
        source.start(at, this.#offset);
        return source;
      });
      this.#output.gain.setValueAtTime(0, at);
      this.#output.gain.linearRampToValueAtTime(1, at + FADE_S);
      this.isPlaying = true;
      this.#seamsUntil = at + to - this.#offset;
      this.#scheduleSeams();
      this.#timer = setInterval(() => this.#scheduleSeams(), 500);
    }

    pause() {
      if (!this.isPlaying) return;
      const now = this.#context.currentTime;
      // Before the first sample sounds, there is nothing to fade.
      const when = Math.max(now + LEAD_S, this.#startedAt + FADE_S);
      this.#offset = this.position;
      this.isPlaying = false;
      clearInterval(this.#timer);
      this.#output.gain.setValueAtTime(1, when);
      this.#output.gain.linearRampToValueAtTime(0, when + FADE_S);
      for (const source of this.#sources) source.stop(when + FADE_S);
      // The next start must not be under a seam of this one.
      this.#seams.gain.cancelScheduledValues(when + FADE_S);
      this.#seams.gain.setValueAtTime(1, when + FADE_S);
      return when + FADE_S;
    }

    setLoop(from, to) {
      const start = Math.max(0, Math.min(from, this.seconds - SHORTEST_LOOP_S));
      this.loop = { from: start, to: Math.min(this.seconds, Math.max(to, start + SHORTEST_LOOP_S)) };
      if (this.isPlaying) {
        const silentAt = this.pause();
        this.play(silentAt + LEAD_S);
      }
    }

    close() {
      this.pause();
      this.#context = null;
    }

    // Each pass of the loop ends in a short dip, since its end does not continue in its beginning.
    #scheduleSeams() {
      const { from, to } = this.loop;
      while (this.#seamsUntil < this.#context.currentTime + SCHEDULED_S) {
        const seam = this.#seamsUntil;
        this.#seams.gain.setValueAtTime(1, seam - FADE_S);
        this.#seams.gain.linearRampToValueAtTime(0, seam);
        this.#seams.gain.linearRampToValueAtTime(1, seam + FADE_S);
        this.#seamsUntil += to - from;
      }
    }
  };
}
