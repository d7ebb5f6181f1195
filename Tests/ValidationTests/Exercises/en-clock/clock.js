export class Clock {
  constructor(hours, minutes = 0) {
    this.total = (((hours * 60 + minutes) % 1440) + 1440) % 1440;
  }

  plus(minutes) {
    return new Clock(0, this.total + minutes);
  }

  toString() {
    const two = (number) => String(number).padStart(2, '0');
    return `${two(Math.floor(this.total / 60))}:${two(this.total % 60)}`;
  }
}
