import { Call } from './channel/calls';
import type { Channel } from './channel/channel';
import { decodeHello, type Hello } from './channel/codec';
import { FEATURES, HELLO_OBSERVER } from './channel/enums';
import { ABI_VERSION, HELLO, LABEL_LEN } from './channel/records';
import { EngineError, failure } from './errors';

/** What the provider said of itself. */
export interface Handshake extends Hello {
  /** Names behind NTRACE_F_, lower-case. */
  names: ReadonlySet<string>;
}

/** The first call on a channel. label: shown to people and other engines, cut at 31 bytes. */
export function shakeHands(channel: Channel, label: string, observer: boolean): Handshake {
  const record = Buffer.alloc(HELLO.size);
  record.writeUInt32LE(ABI_VERSION, HELLO.at.abi_version);
  record.writeUInt32LE(observer ? HELLO_OBSERVER : 0, HELLO.at.flags);
  record.write(label, HELLO.at.label, LABEL_LEN - 1, 'utf8');
  const result = channel.call(Call.Hello, record);
  if (result < 0) throw failure(result, 'agree with the provider on an ABI version');
  const hello = decodeHello(record);
  if (hello.abiVersion > ABI_VERSION || hello.abiVersion === 0) {
    throw new EngineError(
      93,
      'EPROTONOSUPPORT',
      `the provider speaks ABI version ${hello.abiVersion}, this program ${ABI_VERSION}: install the same release of both`,
    );
  }
  const names = new Set<string>();
  FEATURES.forEach((name, bit) => {
    const word = hello.features[bit >>> 6] ?? 0n;
    if ((word >> BigInt(bit & 63)) & 1n) names.add(name);
  });
  return { ...hello, names };
}
