// Time that passes as fast as the machine can: every timer and clock of this process is replaced,
// so that a session of a minute takes seconds, and a busy machine makes no player late.
// Must be the first module that is loaded.

const real = { setImmediate }
const epoch = Date.UTC(2026, 0, 1)
let now = 0 // ms
let serial = 0
const timers = [] // A heap by (at, serial).

const before = (a, b) => a.at < b.at || (a.at === b.at && a.serial < b.serial)
function push (timer) {
  let i = timers.push(timer) - 1
  for (let up; i > 0 && before(timer, timers[up = (i - 1) >> 1]); i = up) timers[i] = timers[up]
  timers[i] = timer
}
function pop () {
  const first = timers[0]
  const last = timers.pop()
  if (timers.length === 0) return first
  let i = 0
  for (let child; (child = 2 * i + 1) < timers.length; i = child) {
    if (child + 1 < timers.length && before(timers[child + 1], timers[child])) child++
    if (!before(timers[child], last)) break
    timers[i] = timers[child]
  }
  timers[i] = last
  return first
}

class Timer {
  constructor (call, ms, every, args) {
    Object.assign(this, { call, ms: Math.max(Number(ms) || 0, every ? 1 : 0), every, args })
    this.refresh()
  }

  refresh () { this.alive = true; this.at = now + this.ms; this.serial = serial++; push(this); return this }
  ref () { return this }
  unref () { return this }
  hasRef () { return true }
  close () { this.alive = false }
  [Symbol.toPrimitive] () { return this.serial }
}

global.setTimeout = (call, ms, ...args) => new Timer(call, ms, false, args)
global.setInterval = (call, ms, ...args) => new Timer(call, ms, true, args)
global.clearTimeout = global.clearInterval = timer => { if (timer) timer.alive = false }
global.setTimeout[require('util').promisify.custom] = ms => new Promise(resolve => setTimeout(resolve, ms))
const RealDate = Date
global.Date = class extends RealDate {
  constructor (...args) { if (args.length === 0) super(epoch + now); else super(...args) }
  static now () { return Math.floor(epoch + now) }
}
Object.defineProperty(performance, 'now', { value: () => now })

/// At an exact moment (ms).
const at = (when, call) => new Timer(call, when - now, false, [])

async function settle (turns) {
  for (let i = 0; i < turns; i++) await new Promise(resolve => real.setImmediate(resolve))
}

/// Lets time pass until `until` (ms).
async function run (until, turns = 2) {
  while (timers.length > 0 && timers[0].at <= until) {
    now = Math.max(now, timers[0].at)
    while (timers.length > 0 && timers[0].at <= now) {
      const timer = pop()
      if (!timer.alive) continue
      if (timer.every) { timer.at = now + timer.ms; timer.serial = serial++; push(timer) }
      timer.call(...timer.args)
    }
    await settle(turns)
  }
  now = until
  await settle(turns)
}

module.exports = { at, run, settle, epoch, now: () => now }
