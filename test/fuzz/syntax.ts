import type { Random } from './random';

/** Makes a text; the word of a packet's syntax it stands for was looked up once. */
export type Maker = () => string;

/**
 * Makes texts by a packet's documented syntax: "addr,length[;thread-id]...", a|b. Words that
 * `words` does not know stand for themselves.
 */
export function compile(
  syntax: string,
  words: (word: string) => Maker | undefined,
  random: Random,
): Maker {
  const tokens = syntax.match(/\[|\]|\||\.\.\.|[A-Za-z][A-Za-z-]*|./g) ?? [];
  let at = 0;
  const alternatives = (): Maker => {
    const choices: Maker[] = [];
    for (;;) {
      choices.push(sequence());
      if (tokens[at] !== '|') break;
      at++;
    }
    return choices.length === 1 ? choices[0]! : () => random.pick(choices)();
  };
  const sequence = (): Maker => {
    const parts: Maker[] = [];
    for (; at < tokens.length && tokens[at] !== ']' && tokens[at] !== '|'; at++) {
      const token = tokens[at]!;
      if (token === '[') {
        at++;
        const inner = alternatives();
        parts.push(() => (random.oneIn(2) ? inner() : ''));
      } else if (token === '...') {
        const before = parts.slice();
        parts.push(() => (random.oneIn(2) ? before.map((part) => part()).join('') : ''));
      } else if (token !== ' ') parts.push(words(token) ?? ((): string => token));
    }
    return () => {
      let text = '';
      for (const part of parts) text += part();
      return text;
    };
  };
  return alternatives();
}
