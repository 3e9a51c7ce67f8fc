// The horizontal axis of a series: dates where the times are dates, places in the order where they are anything else.
import { scaleLinear, scaleUtc } from 'd3-scale';
import { utcFormat } from 'd3-time-format';

const ISO = /^\d{4}-\d\d(-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?)?)?$/;

function parse(ds: string): number {
  if (!ISO.test(ds)) return NaN;
  const iso = ds.replace(' ', 'T');
  // A time without a zone is taken as it stands: the page must say the same on every machine.
  return Date.parse(iso.length > 10 && !/(Z|[+-]\d\d:?\d\d)$/.test(iso.slice(11)) ? `${iso}Z` : iso);
}

export interface Tick {
  at: number;
  text: string;
}

export class Timeline {
  private readonly order = new Map<string, number>();
  private readonly names: string[] = [];
  private readonly dated: boolean;
  private readonly format: (date: Date) => string;

  constructor(all: Iterable<string>) {
    for (const ds of all) {
      if (!this.order.has(ds)) {
        this.order.set(ds, this.names.length);
        this.names.push(ds);
      }
    }
    const times = this.names.map(parse);
    this.dated = times.every(Number.isFinite);
    if (this.dated) this.names.forEach((ds, k) => this.order.set(ds, times[k]));
    const dates = times.map((time) => new Date(time));
    const whole = dates.every((d) => d.getTime() % 86_400_000 === 0);
    const monthly = whole && dates.every((d) => d.getUTCDate() === dates[0].getUTCDate() || d.getUTCDate() > 27);
    this.format = utcFormat(monthly ? '%b %Y' : whole ? '%-d %b %Y' : '%-d %b %Y %H:%M');
  }

  at(ds: string): number {
    return this.order.get(ds) ?? NaN;
  }

  label(ds: string): string {
    return this.dated ? this.format(new Date(this.at(ds))) : ds;
  }

  scale(domain: [number, number], range: [number, number]): (value: number) => number {
    const scale = scaleLinear().domain(domain).range(range);
    return (value) => scale(value);
  }

  ticks(domain: [number, number], count: number): Tick[] {
    if (this.dated) {
      const scale = scaleUtc().domain(domain);
      const text = scale.tickFormat(count);
      return scale.ticks(count).map((date) => ({ at: date.getTime(), text: text(date) }));
    }
    const whole = scaleLinear().domain(domain).ticks(count).filter(Number.isInteger);
    return whole.filter((k) => k in this.names).map((k) => ({ at: k, text: this.names[k] }));
  }
}
