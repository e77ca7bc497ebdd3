import type { Line } from './report';

const LEFT = 300;
const WIDTH = 460;
const BAR = 14;
const GAP = 8;
const TOP = 56;
const MOST = 100; // ratios are drawn between 1/MOST and MOST
const COLORS = ['#2a7f62', '#c08a2e', '#5a6fb0'];

/** Horizontal bars on a logarithmic scale: to the right of 1 is better than the base. */
export function plot(all: readonly Line[], base: string, others: readonly string[]): string {
  const shown = all.filter(({ ratios }) => ratios.size > 0);
  const height = TOP + shown.length * (others.length * BAR + GAP) + 30;
  const x = (ratio: number): number => {
    const bounded = Math.min(MOST, Math.max(1 / MOST, ratio));
    return LEFT + ((Math.log10(bounded) + 2) / 4) * WIDTH;
  };
  const parts = [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${LEFT + WIDTH + 70}" height="${height}" ` +
      'font-family="sans-serif" font-size="12">',
    '<rect width="100%" height="100%" fill="white"/>',
    `<text x="10" y="22" font-size="15" font-weight="bold">Ratio against ${base}: right of 1 is better</text>`,
    ...others.map(
      (name, index) =>
        `<text x="${LEFT + 200 * index}" y="42" fill="${COLORS[index]}">&#9632; ${name}</text>`,
    ),
  ];
  for (const tick of [0.01, 0.1, 1, 10, 100])
    parts.push(
      `<line x1="${x(tick)}" x2="${x(tick)}" y1="${TOP - 8}" y2="${height - 24}" ` +
        `stroke="${tick === 1 ? '#333' : '#ddd'}"/>`,
      `<text x="${x(tick)}" y="${height - 8}" text-anchor="middle">${tick}</text>`,
    );
  shown.forEach(({ row, ratios }, index) => {
    const y = TOP + index * (others.length * BAR + GAP);
    parts.push(`<text x="${LEFT - 10}" y="${y + 11}" text-anchor="end">${row.label}</text>`);
    others.forEach((name, at) => {
      const ratio = ratios.get(name);
      if (ratio === undefined) return;
      const [from, to] = [Math.min(x(1), x(ratio)), Math.max(x(1), x(ratio))];
      const top = y + at * BAR;
      parts.push(
        `<rect x="${from}" y="${top}" width="${Math.max(1, to - from)}" height="${BAR - 3}" fill="${COLORS[at]}"/>`,
        `<text x="${to + 4}" y="${top + 10}" font-size="10">${Number(ratio.toPrecision(2))}</text>`,
      );
    });
  });
  return `${parts.join('\n')}\n</svg>\n`;
}
