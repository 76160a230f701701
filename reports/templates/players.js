"use strict";
// Players: one sound at a time; a click into waveform or spectrogram goes there. wavesurfer.js
// draws the waveform where the report has it; the drawn outline stays where it has not.
(() => {
  const figures = [...document.querySelectorAll("figure.player")];
  const sounds = figures.map((figure) => figure.querySelector("audio"));

  // Outline points run along the tops of the columns and back along the bottoms, 0 to 200.
  function peaksOf(figure) {
    const points = figure.querySelector("polygon").getAttribute("points").split(" ");
    const levels = points.map((point) => 1 - Number(point.split(",")[1]) / 100);
    const half = levels.length / 2;
    return [levels.slice(0, half), levels.slice(half).reverse().map((low) => -low)];
  }

  function draw(figure, sound) {
    const style = getComputedStyle(figure);
    const wave = figure.querySelector(".wave");
    const surfer = WaveSurfer.create({
      container: wave,
      media: sound,
      peaks: peaksOf(figure),
      duration: Number(figure.dataset.seconds),
      height: 64,
      waveColor: style.getPropertyValue("--soft"),
      progressColor: style.getPropertyValue("--accent"),
      cursorWidth: 0, // the track has one across waveform and spectrogram
      hideScrollbar: true,
    });
    surfer.once("ready", () => figure.classList.add("drawn"));
    surfer.on("error", () => { surfer.destroy(); figure.classList.remove("drawn"); });
  }

  const seen = new IntersectionObserver((entries) => {
    for (const entry of entries.filter((one) => one.isIntersecting)) {
      seen.unobserve(entry.target);
      draw(entry.target, entry.target.querySelector("audio"));
    }
  }, { rootMargin: "400px" });

  figures.forEach((figure, index) => {
    const sound = sounds[index];
    const seconds = Number(figure.dataset.seconds);
    const track = figure.querySelector(".track");
    const cursor = document.createElement("span");
    cursor.className = "place";
    track.append(cursor);
    const follow = () => cursor.style.setProperty("--at", sound.currentTime / seconds);
    const everyFrame = () => { follow(); if (!sound.paused) requestAnimationFrame(everyFrame); };
    for (const event of ["timeupdate", "seeking"]) sound.addEventListener(event, follow);
    sound.addEventListener("play", () => {
      for (const other of sounds) if (other !== sound) other.pause();
      everyFrame();
    });
    track.addEventListener("click", (event) => {
      const field = track.getBoundingClientRect();
      const isDrawn = event.composedPath().some((one) => one.classList?.contains("wave")) && figure.classList.contains("drawn");
      // wavesurfer answers clicks on its own drawing.
      if (!isDrawn) sound.currentTime = seconds * Math.min(1, Math.max(0, (event.clientX - field.left) / field.width));
    });
    if (window.WaveSurfer) seen.observe(figure);
  });
})();
