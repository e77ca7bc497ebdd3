import type { Channel } from './channel/channel';

/** Where buffers are, asked once per Buffer. A record's pointer is the address plus an offset. */
export class Addresses {
  private readonly known = new WeakMap<Uint8Array, bigint>();

  constructor(private readonly channel: Channel) {}

  of(buf: Uint8Array): bigint {
    let address = this.known.get(buf);
    if (address === undefined) {
      address = this.channel.addressOf(buf);
      this.known.set(buf, address);
    }
    return address;
  }
}
