/** FORMAT.md, "Limits": sizes in bytes, times in milliseconds. */

export const HEADER_MAX = 2048;
export const PAYLOAD_MAX = 65_536;
export const PAYLOAD_ROOM_MIN = 1024;
export const SALT_SIZE = 32;
export const LENGTH_SIZE = 4;
export const NONCE_SIZE = 24;
export const TAG_SIZE = 16;
export const SIGNATURE_SIZE = 64;
export const FRAME_MAX = 67_727;
export const WRAP_SIZE = 1216;
export const WRAPS_PER_BUNDLE = 256;
export const REPLY_KEYS_MAX = 16;
export const DOCUMENT_MAX = 32_768;
export const JSON_DEPTH_MAX = 12;
export const TITLE_MAX = 200;
export const SUMMARY_MAX = 1000;
export const BODY_MAX = 20_000;
export const LIST_MAX = 64;
export const SECRETARIAT_KEYS_MAX = 32;
export const WITNESSES_MAX = 16;
export const COOL_DOWN = 259_200_000;
export const COOL_DOWN_MAX = 7_776_000_000;
export const DISPUTE_FACTOR = 3;
export const IDENTITY_LOGS_MAX = 256;
export const NOTE_MAX = 32_768;
export const NOTE_SIGNATURES_MAX = 32;
export const CLOCK_SKEW_MAX = 300_000;
export const EXPORT_MAX = 268_435_456;
export const RECEIPT_MAX = 524_288;

export const HASH_SIZE = 32;
export const KEY_SIZE = 32;
export const KEM_KEY_SIZE = 1216;
export const ENC_SIZE = 1120;
export const KID_SIZE = 16;
export const HPKE_SIZE = 1168;
