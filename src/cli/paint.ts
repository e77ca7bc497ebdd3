const CODES = { dim: 2, bold: 1, red: 31, green: 32, yellow: 33, blue: 34, magenta: 35, cyan: 36 };

export type Color = keyof typeof CODES;

/**
 * Colours only for a terminal, or where FORCE_COLOR says that one is behind the pipe, and never with
 * NO_COLOR (no-color.org).
 */
export function paint(text: string, ...colors: Color[]): string {
  const plain = process.env.NO_COLOR || !(process.stdout.isTTY || process.env.FORCE_COLOR);
  if (plain || text === '') return text;
  return `\x1b[${colors.map((color) => CODES[color]).join(';')}m${text}\x1b[0m`;
}
