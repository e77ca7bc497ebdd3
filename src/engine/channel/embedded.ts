import { native } from '../../native';
import type { Channel } from './channel';
import { NativeChannel } from './native-channel';

/** An engine of the ptrace provider inside this process. */
export function openEmbedded(): Channel {
  return new NativeChannel(native.openEmbedded());
}
