import { native, type NativeEngine, type SpawnedChild, type SpawnSpec } from '../../native';
import type { Channel } from './channel';

/** A provider reached through the addon. */
export class NativeChannel implements Channel {
  constructor(readonly native: NativeEngine) {}

  call(request: number, record: Uint8Array): number {
    return this.native.ioctl(request, record);
  }

  readEvents(buf: Uint8Array): number {
    return this.native.read(buf);
  }

  wait(ms: number): boolean {
    return this.native.wait(ms);
  }

  readAhead(bytes: number): number {
    return this.native.readAhead(bytes);
  }

  addressOf(buf: Uint8Array): bigint {
    return native.addressOf(buf);
  }

  spawn(spec: SpawnSpec): SpawnedChild {
    return native.spawn(spec);
  }

  close(): void {
    this.native.close();
  }
}
