"use strict";
// One's own recording, or the sound card, through the generated C of a model, compiled to
// WebAssembly. Signals have the model's own rate: the browser resamples what has another.
{
  const LONGEST_S = 600;
  const AT_ONCE_S = 0.25; // computed before the page may answer again
  const EQUAL_MOST = 8; // the gain of a quiet sound that is made equally loud

  const bytesOf = (base64) => Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
  const floatsOf = (base64) => new Float32Array(bytesOf(base64).buffer);

  // A model from zero state: blocks of any length, one after the other.
  class Model {
    static async of(own) {
      const { instance } = await WebAssembly.instantiate(bytesOf(own.wasm), {});
      return new Model(instance.exports);
    }

    constructor(exports) {
      this.exports = exports;
      this.block = new Float32Array(exports.memory.buffer, exports.samples(), exports.block());
      exports.reset();
    }

    process(dry, wet) {
      for (let start = 0; start < dry.length; start += this.block.length) {
        const part = dry.subarray(start, start + this.block.length);
        this.block.set(part);
        this.exports.process(part.length);
        wet.set(this.block.subarray(0, part.length), start);
      }
    }
  }
  Pedalframe.Model = Model;

  // The largest error over the golden vectors of a model, which come in uneven blocks.
  async function goldenError(own) {
    const model = await Model.of(own);
    const [dry, expected] = [floatsOf(own.dry), floatsOf(own.wet)];
    const wet = new Float32Array(dry.length);
    for (let start = 0; start < dry.length; start += 37) {
      model.process(dry.subarray(start, start + 37), wet.subarray(start, start + 37));
    }
    return wet.reduce((worst, value, n) => {
      const error = Math.abs(value - expected[n]);
      return error <= worst ? worst : error; // keeps a NaN
    }, 0);
  }

  const field = document.querySelector(".own");
  if (field) {
    const find = (selector) => field.querySelector(selector);
    const [select, file, trim, said] = [".model", ".file input", ".trim", ".said"].map(find);
    const gainOf = (db) => 10 ** (db / 20);
    const own = () => Pedalframe.models[select.selectedIndex];
    const tell = (text) => { said.textContent = text; };
    let recording = null; // {name, bytes}
    let context = null;
    let sounds = {};
    let turn = 0; // so that only the newest wish is heard

    field.hidden = false;
    const transport = new Pedalframe.Transport(field, { selected: () => draw() });

    async function check() {
      let worst = 0;
      const wrong = [];
      for (const model of Pedalframe.models) {
        const error = await goldenError(model);
        worst = Math.max(worst, error);
        if (!(error <= model.tolerance)) wrong.push(`${model.effect}, ${model.name}`);
      }
      find(".proof").textContent = wrong.length
        ? `This browser does not compute what the boards do: ${wrong.join("; ")}.`
        : `All ${Pedalframe.models.length} models repeat their golden vectors here; largest error ${worst.toExponential(1)}.`;
      find(".proof").classList.toggle("problem", wrong.length > 0);
      field.dataset.worst = worst;
      field.dataset.proved = wrong.length === 0;
    }

    // Mono samples at a rate, whatever the file has.
    async function decoded(bytes, rate) {
      const offline = new OfflineAudioContext(1, 1, rate);
      const buffer = await offline.decodeAudioData(bytes.slice(0));
      const length = Math.min(buffer.length, LONGEST_S * rate);
      const mono = new Float32Array(length);
      for (let channel = 0; channel < buffer.numberOfChannels; channel += 1) {
        buffer.getChannelData(channel).subarray(0, length).forEach((value, n) => {
          mono[n] += value / buffer.numberOfChannels;
        });
      }
      return mono;
    }

    async function rendered(model, dry, rate, mine) {
      const wet = new Float32Array(dry.length);
      const step = Math.round(AT_ONCE_S * rate);
      for (let start = 0; start < dry.length; start += step) {
        if (mine !== turn) return null;
        model.process(dry.subarray(start, start + step), wet.subarray(start, start + step));
        tell(`Computing: ${Math.round((100 * start) / dry.length)} %`);
        await new Promise((resolve) => { setTimeout(resolve); });
      }
      return wet;
    }

    const rms = (samples) => Math.sqrt(samples.reduce((sum, value) => sum + value * value, 0) / samples.length);

    function equalize() {
      if (!transport.deck) return;
      const isEqual = find(".equal").checked;
      const loud = Math.max(rms(sounds.wet), 1e-6);
      const gain = Math.min(EQUAL_MOST, loud / Math.max(rms(sounds.dry), 1e-6));
      transport.deck.setGains(isEqual ? { dry: gain } : {});
    }

    async function load() {
      if (!recording) return;
      turn += 1;
      const mine = turn;
      const { rate_hz: rate } = own();
      field.dataset.ready = false;
      try {
        const dry = await decoded(recording.bytes, rate);
        const gain = gainOf(Number(trim.value));
        dry.forEach((value, n) => { dry[n] = gain * value; });
        const started = performance.now();
        const wet = await rendered(await Model.of(own()), dry, rate, mine);
        if (!wet) return;
        const took = (performance.now() - started) / 1000;
        sounds = { dry, wet, rate };
        if (context?.sampleRate !== rate) {
          const former = context;
          if (former) setTimeout(() => former.close(), 1000); // after its sound has faded
          context = new AudioContext({ sampleRate: rate });
        }
        const buffers = Object.fromEntries([["dry", dry], ["wet", wet]].map(([name, samples]) => {
          const buffer = new AudioBuffer({ length: samples.length, sampleRate: rate, numberOfChannels: 1 });
          buffer.copyToChannel(samples, 0);
          return [name, buffer];
        }));
        find(".deck").hidden = false;
        await transport.use(context, new Pedalframe.Deck(context, buffers));
        equalize();
        draw();
        const seconds = dry.length / rate;
        tell(`${recording.name}: ${seconds.toFixed(1)} s at ${rate.toLocaleString("en")} Hz, computed ${Math.round(seconds / took)} times faster than it sounds.`);
        field.dataset.ready = true;
      } catch (error) {
        tell(`${recording.name} could not be read: ${error.message || "this browser does not know its format"}. A WAV or FLAC will do.`);
      }
    }

    function draw() {
      if (!sounds.rate) return;
      const canvas = find("canvas");
      canvas.width = canvas.clientWidth || 600;
      const ink = canvas.getContext("2d");
      const samples = sounds[transport.heard];
      ink.fillStyle = getComputedStyle(field).getPropertyValue("--soft");
      for (let x = 0; x < canvas.width; x += 1) {
        const span = samples.subarray((x * samples.length) / canvas.width, ((x + 1) * samples.length) / canvas.width);
        const peak = span.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
        const height = Math.max(1, Math.min(1, peak) * canvas.height);
        ink.fillRect(x, (canvas.height - height) / 2, 1, height);
      }
    }

    // 32-bit float WAV, so that nothing is cut off.
    function wav(samples, rate) {
      const bytes = new DataView(new ArrayBuffer(58 + 4 * samples.length));
      const text = (at, letters) => [...letters].forEach((letter, n) => bytes.setUint8(at + n, letter.charCodeAt(0)));
      text(0, "RIFF");
      bytes.setUint32(4, 50 + 4 * samples.length, true);
      text(8, "WAVEfmt ");
      bytes.setUint32(16, 18, true);
      bytes.setUint16(20, 3, true);
      bytes.setUint16(22, 1, true);
      bytes.setUint32(24, rate, true);
      bytes.setUint32(28, 4 * rate, true);
      bytes.setUint16(32, 4, true);
      bytes.setUint16(34, 32, true);
      text(38, "fact");
      bytes.setUint32(42, 4, true);
      bytes.setUint32(46, samples.length, true);
      text(50, "data");
      bytes.setUint32(54, 4 * samples.length, true);
      samples.forEach((value, n) => bytes.setFloat32(58 + 4 * n, value, true));
      return new Blob([bytes], { type: "audio/wav" });
    }

    function save() {
      const link = document.createElement("a");
      link.href = URL.createObjectURL(wav(sounds.wet, sounds.rate));
      link.download = `${recording.name.replace(/\.\w+$/, "")}-${own().effect}.wav`.replace(/[^\w .-]+/g, "-");
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
    }

    async function take(chosen) {
      if (!chosen) return;
      recording = { name: chosen.name, bytes: await chosen.arrayBuffer() };
      await load();
    }

    file.addEventListener("change", () => take(file.files[0]));
    for (const name of ["dragenter", "dragover"]) {
      field.addEventListener(name, (event) => {
        event.preventDefault();
        field.classList.add("over");
      });
    }
    field.addEventListener("dragleave", () => field.classList.remove("over"));
    field.addEventListener("drop", (event) => {
      event.preventDefault();
      field.classList.remove("over");
      take(event.dataTransfer.files[0]);
    });
    select.addEventListener("change", load);
    trim.addEventListener("input", () => { find(".trim-db").textContent = `${trim.value} dB`; });
    trim.addEventListener("change", load);
    find(".equal").addEventListener("change", equalize);
    find(".save").addEventListener("click", save);
    check();
    if (location.protocol.startsWith("http") && navigator.mediaDevices) live(field, own);
    else find(".not-live").hidden = false;
  }

  // In the thread of the sound card: blocks of the model, levels told a few times a second.
  const PROCESSOR = `registerProcessor("pedalframe", class extends AudioWorkletProcessor {
    constructor({ processorOptions: { wasm, trim } }) {
      super();
      const { exports } = new WebAssembly.Instance(new WebAssembly.Module(wasm), {});
      exports.reset();
      Object.assign(this, { exports, trim, peak: 0, blocks: 0, isOver: false });
      this.port.onmessage = ({ data }) => { if (data === "end") this.isOver = true; else this.trim = data; };
    }
    process([[dry]], [[wet]]) {
      if (this.isOver) return false;
      const { exports } = this;
      const block = new Float32Array(exports.memory.buffer, exports.samples(), wet.length);
      for (let n = 0; n < wet.length; n += 1) {
        block[n] = dry ? this.trim * dry[n] : 0;
        this.peak = Math.max(this.peak, Math.abs(block[n]));
      }
      exports.process(wet.length);
      for (let n = 0; n < wet.length; n += 1) wet[n] = Math.min(1, Math.max(-1, block[n]));
      this.blocks += 1;
      if (this.blocks % 32 === 0) {
        this.port.postMessage(this.peak);
        this.peak = 0;
      }
      return true;
    }
  });`;

  // The sound card's input through a model to its output. It begins silent, so that a microphone
  // beside a loudspeaker does not howl before somebody has turned it up.
  function live(field, own) {
    const line = field.querySelector(".live");
    const [go, volume, meter, told] = [".go", ".gain", ".level", ".latency"].map((name) => line.querySelector(name));
    const trim = field.querySelector(".trim");
    let stop = null;
    line.hidden = false;

    async function start() {
      const { rate_hz: rate, wasm } = own();
      const asks = { echoCancellation: false, noiseSuppression: false, autoGainControl: false, channelCount: 1, latency: 0 };
      const stream = await navigator.mediaDevices.getUserMedia({ audio: asks });
      const context = new AudioContext({ sampleRate: rate, latencyHint: "interactive" });
      const close = () => {
        stream.getTracks().forEach((track) => track.stop());
        context.close();
        stop = null;
        go.textContent = "Play live";
        told.textContent = "";
        meter.value = 0;
      };
      try {
        const code = URL.createObjectURL(new Blob([PROCESSOR], { type: "text/javascript" }));
        await context.audioWorklet.addModule(code);
        URL.revokeObjectURL(code);
        const node = new AudioWorkletNode(context, "pedalframe", {
          channelCount: 1, channelCountMode: "explicit", outputChannelCount: [1],
          processorOptions: { wasm: bytesOf(wasm), trim: 10 ** (Number(trim.value) / 20) },
        });
        const gain = new GainNode(context, { gain: 0 });
        volume.value = 0;
        volume.oninput = () => gain.gain.setTargetAtTime(Number(volume.value) ** 2, context.currentTime, 0.02);
        trim.addEventListener("input", () => node.port.postMessage(10 ** (Number(trim.value) / 20)));
        node.port.onmessage = ({ data }) => {
          meter.value = data;
          const out = context.outputLatency || context.baseLatency || 0;
          const into = stream.getAudioTracks()[0]?.getSettings().latency || 0;
          told.textContent = `about ${Math.round(1000 * (into + out + 128 / rate))} ms late, as the browser tells; ${volume.value === "0" ? "silent: put on headphones, then turn up the output" : `${rate.toLocaleString("en")} Hz`}`;
        };
        const source = context.createMediaStreamSource(stream);
        source.connect(node).connect(gain).connect(context.destination);
        await context.resume();
        Pedalframe.live = { context, source, node, gain };
        stop = () => { node.port.postMessage("end"); close(); };
        go.textContent = "Stop";
      } catch (error) {
        close();
        throw error;
      }
    }

    go.addEventListener("click", async () => {
      if (stop) return stop();
      try {
        await start();
      } catch (error) {
        told.textContent = `This browser gives no live sound: ${error.message}`;
      }
    });
    field.querySelector("select").addEventListener("change", () => stop?.());
  }
}
