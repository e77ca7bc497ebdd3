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

/** How an engine begins. */
export interface Greeting {
  /** Shown to people and other engines, cut at 31 bytes. */
  label: string;
  /** Never holds, never changes anything. */
  observer?: boolean;
  /** How many unread events are to be kept, if the provider can; 0: as it thinks fit. */
  events?: number;
}

/** The first call on a channel. */
export function shakeHands(channel: Channel, greeting: Greeting): Handshake {
  const { label, observer = false, events = 0 } = greeting;
  const record = Buffer.alloc(HELLO.size);
  record.writeUInt32LE(ABI_VERSION, HELLO.at.abi_version);
  record.writeUInt32LE(observer ? HELLO_OBSERVER : 0, HELLO.at.flags);
  record.writeUInt32LE(events, HELLO.at.event_capacity);
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
