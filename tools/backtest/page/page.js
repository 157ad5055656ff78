"use strict";
// Draws what the run wrote into data: points of equal steps, fills, histograms.
// Prices, positions and times come as numbers; everything else is text already.
(() => {
  const css = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const canvases = ["price", "position", "equity", "drawdown"].map(id => document.getElementById(id));
  const tip = document.getElementById("tip"), pick = document.getElementById("symbol");
  const t = data.t, last = t.length - 1;
  let view = [t[0] ?? 0, t[last] ?? 1], drag = null, hover = null, symbol = 0;
  data.symbols.forEach((s, i) => pick.add(new Option(s.name, i)));
  symbol = data.symbols.reduce((best, s, i) => s.fills.length > data.symbols[best].fills.length ? i : best, 0);
  pick.value = symbol;
  pick.onchange = () => { symbol = +pick.value; draw(); };

  const left = 78, right = 12;
  const clock = ms => {
    const d = new Date(data.start + ms), p = (n, w = 2) => String(n).padStart(w, "0");
    const hms = p(d.getUTCHours()) + ":" + p(d.getUTCMinutes()) + ":" + p(d.getUTCSeconds());
    return view[1] - view[0] < 20e3 ? hms + "." + p(d.getUTCMilliseconds(), 3) : view[1] - view[0] > 172800e3 ? p(d.getUTCMonth() + 1) + "-" + p(d.getUTCDate()) + " " + hms.slice(0, 5) : hms;
  };
  const steps = (lo, hi, want) => {
    if (!(hi > lo)) return [lo];
    const raw = (hi - lo) / want, pow = 10 ** Math.floor(Math.log10(raw));
    const step = [1, 2, 2.5, 5, 10].map(m => m * pow).find(s => s >= raw);
    const out = [];
    for (let v = Math.ceil(lo / step) * step; v <= hi + step * 1e-9; v += step) out.push(v);
    return out;
  };
  // Times are marked at whole steps of the clock.
  const ticks = want => {
    const units = [50, 100, 200, 500, 1e3, 2e3, 5e3, 10e3, 15e3, 30e3, 60e3, 120e3, 300e3, 600e3, 900e3, 1800e3, 3600e3, 7200e3, 10800e3, 21600e3, 43200e3, 86400e3, 172800e3, 604800e3, 2592000e3];
    const step = units.find(u => (view[1] - view[0]) / u <= want) || units[units.length - 1], out = [];
    for (let v = Math.ceil((data.start + view[0]) / step) * step - data.start; v <= view[1]; v += step) out.push(v);
    return out;
  };
  const figure = v => {
    if (v === 0) return "0";
    const a = Math.abs(v);
    if (a !== 0 && a < 1e-3) return v.toExponential(2);
    return v.toLocaleString("en-US", { maximumFractionDigits: a >= 1000 ? 2 : a >= 1 ? 4 : 6 });
  };
  const index = ms => { // last point at or before
    let lo = 0, hi = last;
    while (lo < hi) { const m = (lo + hi + 1) >> 1; if (t[m] <= ms) lo = m; else hi = m - 1; }
    return lo;
  };

  // plot lays out one canvas; f draws with x and y once the range is known.
  function plot(canvas, title, range, f, opt = {}) {
    const scale = window.devicePixelRatio || 1, w = canvas.clientWidth;
    if (!canvas.dataset.h) canvas.dataset.h = canvas.getAttribute("height");
    const height = +canvas.dataset.h;
    canvas.style.height = height + "px";
    canvas.width = w * scale; canvas.height = height * scale;
    const g = canvas.getContext("2d");
    g.scale(scale, scale);
    let [lo, hi] = range;
    if (!(hi > lo)) { const d = Math.abs(lo) * 1e-6 || 1; lo -= d; hi += d; }
    const pad = (hi - lo) * 0.06; if (!opt.zeroTop) hi += pad; lo -= pad;
    const top = 18, bottom = opt.axis ? 20 : 6;
    const x = ms => left + (ms - view[0]) / (view[1] - view[0]) * (w - left - right);
    const y = v => top + (hi - v) / (hi - lo) * (height - top - bottom);
    g.font = "11px system-ui, sans-serif"; g.lineWidth = 1; g.strokeStyle = css("--grid"); g.fillStyle = css("--dim");
    g.textAlign = "right"; g.textBaseline = "middle";
    for (const v of steps(lo, hi, Math.max(3, height / 50))) {
      if (y(v) < top - 2) continue;
      g.beginPath(); g.moveTo(left, Math.round(y(v)) + .5); g.lineTo(w - right, Math.round(y(v)) + .5); g.stroke();
      g.fillText(figure(Math.abs(v) < (hi - lo) * 1e-9 ? 0 : v), left - 8, y(v));
    }
    g.textAlign = "center"; g.textBaseline = "alphabetic";
    if (opt.axis) for (const v of ticks(Math.max(2, w / 110))) if (x(v) < w - 30) g.fillText(clock(v), x(v), height - 4);
    g.textAlign = "left"; g.fillText(title, left, 11);
    g.save(); g.beginPath(); g.rect(left, top - 8, w - left - right, height - top - bottom + 16); g.clip();
    f(g, x, y, w, height);
    if (hover !== null) { g.strokeStyle = css("--dim"); g.setLineDash([3, 3]); g.beginPath(); g.moveTo(x(hover), top); g.lineTo(x(hover), height - bottom); g.stroke(); g.setLineDash([]); }
    if (drag && drag.to !== undefined) { g.fillStyle = css("--fill"); g.fillRect(x(drag.from), top, x(drag.to) - x(drag.from), height); }
    g.restore();
  }
  const span = () => [Math.max(index(view[0]), 0), Math.min(index(view[1]) + 1, last)];
  const extent = (list, a, b, lo = Infinity, hi = -Infinity) => {
    for (let i = a; i <= b; i++) { const v = list[i]; if (v === null) continue; if (v < lo) lo = v; if (v > hi) hi = v; }
    return lo <= hi ? [lo, hi] : [0, 1];
  };
  // line draws no more than a point's lowest and highest a pixel.
  function line(g, x, y, list, a, b, color, fill) {
    g.beginPath();
    let at = null, lo = 0, hi = 0, first = true, end = 0;
    const put = () => { if (first) { g.moveTo(at, y(lo)); first = false; } g.lineTo(at, y(lo)); if (hi !== lo) g.lineTo(at, y(hi)); end = at; };
    for (let i = a; i <= b; i++) {
      const v = list[i]; if (v === null) continue;
      const px = Math.round(x(t[i]) * 2) / 2;
      if (at === null || px !== at) { if (at !== null) put(); at = px; lo = hi = v; } else { lo = Math.min(lo, v); hi = Math.max(hi, v); }
    }
    if (at !== null) put();
    g.strokeStyle = color; g.lineWidth = 1.3; g.stroke();
    if (fill !== undefined) { g.lineTo(end, y(0)); g.lineTo(x(t[a]), y(0)); g.closePath(); g.fillStyle = fill; g.fill(); }
  }
  function marks(g, x, y, s) {
    // Of fills that would lie on each other the newest is drawn.
    const seen = new Set();
    for (let k = s.fills.length - 1; k >= 0; k--) {
      const f = s.fills[k];
      if (f[0] < view[0] || f[0] > view[1]) continue;
      const px = x(f[0]), py = y(f[1]), key = Math.round(px / 4) + ":" + Math.round(py / 4) + ":" + f[2];
      if (seen.has(key)) continue;
      seen.add(key);
      const up = f[2] > 0, c = css(up ? "--green" : "--red"), d = up ? 1 : -1;
      g.beginPath(); g.moveTo(px, py); g.lineTo(px - 4.5, py + 8 * d); g.lineTo(px + 4.5, py + 8 * d); g.closePath();
      g.lineWidth = 1; g.strokeStyle = f[3] ? css("--card") : c; g.fillStyle = f[3] ? c : css("--card");
      g.fill(); g.stroke();
    }
  }
  function draw() {
    if (last < 1) return;
    const [a, b] = span(), s = data.symbols[symbol];
    let [lo, hi] = extent(s.mid, a, b);
    for (const f of s.fills) if (f[0] >= view[0] && f[0] <= view[1]) { lo = Math.min(lo, f[1]); hi = Math.max(hi, f[1]); }
    plot(canvases[0], s.name + ", " + s.quote, [lo, hi], (g, x, y) => { line(g, x, y, s.mid, a, b, css("--blue")); marks(g, x, y, s); }, { axis: true });
    plot(canvases[1], "position, " + s.base, extent(s.position, a, b, 0, 0), (g, x, y) => line(g, x, y, s.position, a, b, css("--blue"), css("--fill")));
    plot(canvases[2], "profit, all symbols, " + data.currency + " (after fees)", extent(data.equity, a, b, 0, 0), (g, x, y) => line(g, x, y, data.equity, a, b, css("--blue"), css("--fill")), { axis: true });
    plot(canvases[3], "below its peak", [Math.min(...extent(data.drawdown, a, b, 0, 0)), 0], (g, x, y) => line(g, x, y, data.drawdown, a, b, css("--red"), css("--redfill")), { zeroTop: true });
  }
  const at = e => { const r = e.target.getBoundingClientRect(); return view[0] + (e.clientX - r.left - left) / (r.width - left - right) * (view[1] - view[0]); };
  const limit = () => {
    const w = Math.max(view[1] - view[0], 50);
    view[0] = Math.max(t[0], Math.min(view[0], t[last] - w)); view[1] = Math.min(t[last], view[0] + w);
  };
  for (const c of canvases) {
    c.onmousedown = e => { drag = { from: at(e) }; e.preventDefault(); };
    c.onmousemove = e => {
      hover = Math.max(view[0], Math.min(at(e), view[1]));
      if (drag) drag.to = hover;
      const i = index(hover), s = data.symbols[symbol], r = c.parentElement.getBoundingClientRect();
      tip.textContent = clock(t[i]) + "\nmid " + (s.mid[i] === null ? "-" : figure(s.mid[i])) + "\nposition " + figure(s.position[i]) + "\nprofit " + figure(data.equity[i]) + "\nbelow peak " + figure(-data.drawdown[i]);
      tip.style.display = "block";
      const px = e.clientX - r.left;
      tip.style.left = (px > r.width - 190 ? px - 180 : px + 14) + "px"; tip.style.top = (e.clientY - r.top + 12) + "px";
      draw();
    };
    c.onmouseleave = () => { hover = null; tip.style.display = "none"; draw(); };
    c.ondblclick = () => { view = [t[0], t[last]]; draw(); };
    c.onwheel = e => {
      e.preventDefault();
      const m = at(e), k = e.deltaY > 0 ? 1.25 : 0.8;
      view = [m - (m - view[0]) * k, m + (view[1] - m) * k];
      limit(); draw();
    };
  }
  window.addEventListener("mouseup", () => {
    if (drag && drag.to !== undefined && Math.abs(drag.to - drag.from) > (view[1] - view[0]) / 200) { view = [Math.min(drag.from, drag.to), Math.max(drag.from, drag.to)]; limit(); }
    drag = null; draw();
  });
  document.getElementById("reset").onclick = () => { view = [t[0], t[last]]; draw(); };
  window.addEventListener("resize", draw);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);

  // Small pictures that do not move are SVG.
  const svg = (id, w, h, body) => { const e = document.getElementById(id); if (e) e.innerHTML = `<svg viewBox="0 0 ${w} ${h}">${body}</svg>`; };
  const rect = (x, y, w, h, color, more = "") => `<rect x="${x}" y="${y}" width="${w}" height="${h}" fill="var(${color})" rx="1.5" ${more}/>`;
  const text = (x, y, s, anchor = "middle") => `<text x="${x}" y="${y}" text-anchor="${anchor}">${s}</text>`;

  { // a waterfall from the first part to their sum
    const parts = data.parts, w = 560, h = 150; let sum = 0, lo = 0, hi = 0;
    const bars = parts.map(p => { const from = p.total ? 0 : sum; if (!p.total) sum += p.v; const to = p.total ? p.v : sum; lo = Math.min(lo, from, to); hi = Math.max(hi, from, to); return { ...p, from, to }; });
    const y = v => 22 + (hi - v) / (hi - lo || 1) * (h - 48), step = w / bars.length;
    let body = `<line x1="0" x2="${w}" y1="${y(0)}" y2="${y(0)}" stroke="var(--dim)" stroke-width=".6"/>`;
    bars.forEach((p, i) => {
      const x = i * step + step * .2, top = Math.min(y(p.from), y(p.to));
      body += rect(x, top, step * .6, Math.max(Math.abs(y(p.from) - y(p.to)), 1), p.total ? "--blue" : p.v >= 0 ? "--green" : "--red") + text(x + step * .3, h - 8, p.name) + text(x + step * .3, Math.max(top - 3, 10), figure(p.v));
    });
    svg("parts", w, h, body);
  }
  { // maker and taker beside each other, with one standard error
    const w = 560, h = 150, m = data.marks, all = m.flatMap(s => s.mean.map((v, i) => s.n[i] ? [v - s.error[i], v + s.error[i]] : [0, 0])).flat();
    const lo = Math.min(0, ...all), hi = Math.max(0, ...all), y = v => 12 + (hi - v) / (hi - lo || 1) * (h - 36), step = (w - 50) / data.horizons.length;
    let body = `<line x1="50" x2="${w}" y1="${y(0)}" y2="${y(0)}" stroke="var(--dim)" stroke-width=".6"/>`;
    for (const v of steps(lo, hi, 3)) body += text(44, y(v) + 4, figure(v), "end");
    data.horizons.forEach((name, i) => {
      body += text(50 + (i + .5) * step, h - 6, name);
      m.forEach((s, k) => {
        if (!s.n[i]) return;
        const x = 50 + i * step + step * (.24 + k * .28), v = s.mean[i], e = s.error[i];
        body += rect(x, Math.min(y(0), y(v)), step * .22, Math.max(Math.abs(y(v) - y(0)), 1), v >= 0 ? "--green" : "--red", k ? 'opacity=".5"' : "");
        body += `<line x1="${x + step * .11}" x2="${x + step * .11}" y1="${y(v - e)}" y2="${y(v + e)}" stroke="var(--ink)" stroke-width="1"/>`;
      });
    });
    svg("marks", w, h, body);
  }
  { // a histogram over decades
    const w = 380, h = 130, bars = data.latency, hi = Math.max(1, ...bars.map(b => b.n));
    if (bars.length) {
      const step = w / bars.length; let body = "";
      bars.forEach((b, i) => { body += rect(i * step + 1, 8 + (1 - b.n / hi) * (h - 30), Math.max(step - 2, 1), b.n / hi * (h - 30), "--blue") + (i % Math.ceil(bars.length / 6) === 0 ? text(i * step + step / 2, h - 6, b.upto) : ""); });
      svg("latency", w, h, body);
    }
  }
  draw();
})();
