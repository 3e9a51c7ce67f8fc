// What a view is drawn from. The interface is anywidget's, so that one `render` serves the notebook, a page from disk
// and a page that a running program keeps up to date.

export interface Model {
  /** The value of one part, such as "report". */
  get(name: string): unknown;
  /** Calls back on `change:NAME`, when a part has a new value. */
  on(event: string, callback: () => void): void;
  off(event: string, callback: () => void): void;
  /** Says something to the program behind the page; a page from disk has none. */
  send(message: unknown): void;
}

/** Parts that are known now, and told anew by `set`. */
export class Parts implements Model {
  private readonly callbacks = new Map<string, Set<() => void>>();

  constructor(private readonly values: Record<string, unknown>) {}

  get(name: string): unknown {
    return this.values[name];
  }

  set(name: string, value: unknown): void {
    this.values[name] = value;
    this.callbacks.get(`change:${name}`)?.forEach((callback) => callback());
  }

  on(event: string, callback: () => void): void {
    const known = this.callbacks.get(event) ?? new Set();
    this.callbacks.set(event, known.add(callback));
  }

  off(event: string, callback: () => void): void {
    this.callbacks.get(event)?.delete(callback);
  }

  send(_message: unknown): void {
    // Nobody listens behind a page from disk.
  }
}

/** Parts that the program that serves the page sends; see src/unrolled/lens/server.py. */
export class LiveParts extends Parts {
  /** `shown` is the number of the report that the page came with. */
  constructor(values: Record<string, unknown>, shown: string) {
    super(values);
    const events = new EventSource(`events/${shown}`);
    events.addEventListener('message', (event) => {
      const { name, value } = JSON.parse(event.data) as { name: string; value: unknown };
      this.set(name, value);
    });
    events.addEventListener('error', () => this.set('connected', false));
    events.addEventListener('open', () => this.set('connected', true));
  }

  override send(message: unknown): void {
    void fetch('message', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(message) })
      .catch(() => this.set('connected', false));
  }
}
