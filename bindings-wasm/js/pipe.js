/** From one registry into another: what a fetch stores is what an upload sends. */

/** Bytes that wait to be sent, at most: one chunk may come on top. */
const ROOM = 1 << 20;

/**
 * A sink whose bytes come out of its other end, from `start` to `end` of a blob. The last piece is held back until the
 * fetch is over, so that a blob that turns out to be another is never sent whole.
 */
export class Pipe {
  #taken;
  #end;
  #at = 0;
  #pieces = [];
  #waiting = 0;
  #over = false;
  #closed = false;
  #broken;
  #change = () => {};
  #changed = this.#next();

  constructor(start, end) {
    this.#taken = start;
    this.#end = end;
    this.length = end - start;
  }

  /** What comes next stands there in the blob; what went on already is skipped. */
  cut(offset) {
    if (offset > this.#taken) throw new Error("a part of the blob is missing");
    this.#at = offset;
  }

  /** Takes a chunk; waits until there is room. */
  async write(chunk) {
    const from = Math.min(Math.max(0, this.#taken - this.#at), chunk.length);
    const piece = chunk.slice(from, from + this.#end - this.#taken);
    this.#at += chunk.length;
    if (piece.length > 0) {
      this.#taken += piece.length;
      this.#waiting += piece.length;
      this.#pieces.push(piece);
      this.#tell();
    }
    while (this.#waiting > ROOM && !this.#closed) await this.#changed;
    if (this.#closed) throw new Error("nobody wants the rest of the blob");
  }

  /** The fetch is over: whole, or with an error. */
  finish(broken) {
    this.#over = true;
    this.#broken = broken;
    this.#tell();
  }

  /** Waits for the first piece that may go on. */
  async begun() {
    while (this.#pieces.length < 2 && !this.#over) await this.#changed;
  }

  async *[Symbol.asyncIterator]() {
    try {
      for (;;) {
        if (this.#broken) throw this.#broken.error;
        if (this.#pieces.length > (this.#over ? 0 : 1)) {
          const piece = this.#pieces.shift();
          this.#waiting -= piece.length;
          this.#tell();
          yield piece;
        } else if (this.#over) {
          return;
        } else {
          await this.#changed;
        }
      }
    } finally {
      this.#closed = true;
      this.#tell();
    }
  }

  #next() {
    return new Promise((resolve) => (this.#change = resolve));
  }

  #tell() {
    const change = this.#change;
    this.#changed = this.#next();
    change();
  }
}
