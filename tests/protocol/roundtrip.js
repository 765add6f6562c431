'use strict'
// Goal: whatever minecraft-protocol writes, our decoder reads the same fields of, in every version.
// Method: random instances of every packet that a layout is kept for, serialised by minecraft-protocol, go to the
// decoder (tell_packets) in one stream; its tokens are compared with those made beside the instance.
//
//   node roundtrip.js --reader BUILD/tests/protocol/tell_packets [--versions 47,754|all] [--rounds N] [--seed N]
//
// Exit code 77 (skipped) without the npm packages of tests/e2e.

const { spawn } = require('child_process')
const path = require('path')
const { createRequire } = require('module')
const readline = require('readline')
const { instanceOf, Random } = require('./instances.js')
const { packets: kept } = require('../../tools/protocol/kept.js')

/** A spread over all generations of layouts, for the quick test. */
const spread = [5, 47, 107, 210, 340, 404, 498, 578, 754, 756, 758, 759, 761, 764, 765, 766, 767, 769, 770, 772, 774, 775]

/** A packet of every release from `first` on. */
function from (first, packet) {
  return Array.from({ length: 1000 - first }, (_, i) => `${first + i} ${packet}`)
}

/** What the decoder knows better than the package; see correct() in tools/protocol/source.js. */
const corrected = new Set(['5 play toServer position', '5 play toServer position_look',
  '770 play toServer spectate', '770 play toServer test_instance_block_action',
  '774 play toServer enchant_item',
  ...[761, 762, 763, 764, 765].map(number => `${number} play toClient respawn`),
  ...from(759, 'play toServer update_structure_block'),
  ...from(771, 'play toServer custom_click_action'), ...from(771, 'configuration toServer custom_click_action')])

const stateNumbers = { handshaking: 0, status: 1, login: 2, configuration: 3, play: 4 }

function peers () {
  try {
    const from = createRequire(path.join(__dirname, '..', 'e2e', 'package.json'))
    return { protocol: from('minecraft-protocol'), data: from('minecraft-data') }
  } catch {
    console.log('skipped: no npm packages; run npm ci in tests/e2e')
    process.exit(77)
  }
}

function options () {
  const given = { seed: Math.floor(Math.random() * 2 ** 32), rounds: 3, versions: 'spread', reader: '' }
  for (let i = 2; i + 1 < process.argv.length; i += 2) given[process.argv[i].slice(2)] = process.argv[i + 1]
  if (!given.reader) throw new Error('--reader: which program tells packets')
  return { ...given, seed: Number(given.seed), rounds: Number(given.rounds) }
}

/** One release of each protocol number, oldest first: [number, release]. */
function releases (data, which) {
  const found = new Map()
  for (const known of data.versions.pc) {
    if (!/^\d+\.\d+(\.\d+)?$/.test(known.minecraftVersion)) continue
    let loaded = null
    try { loaded = data(known.minecraftVersion) } catch {}
    if (loaded?.protocol && loaded.version.version === known.version) found.set(known.version, known.minecraftVersion)
  }
  const wanted = which === 'all' ? null : which === 'spread' ? spread : which.split(',').map(Number)
  return [...found].filter(([number]) => number >= 5 && (!wanted || wanted.includes(number))).sort((a, b) => a[0] - b[0])
}

function * packetsOf (protocol) {
  for (const state of Object.keys(stateNumbers)) {
    for (const direction of ['toServer', 'toClient']) {
      const own = protocol[state]?.[direction]?.types
      const names = own?.packet?.[1].find(f => f.name === 'params')?.type[1].fields ?? {}
      const list = kept[state][direction]
      for (const [name, type] of Object.entries(names)) {
        if (list && !list.includes(name)) continue
        if (name === 'legacy_server_list_ping') continue
        yield { state, direction, name, type, types: { ...protocol.types, ...own } }
      }
    }
  }
}

class Reader {
  constructor (program) {
    this.process = spawn(program, [], { stdio: ['pipe', 'pipe', 'inherit'] })
    this.lines = readline.createInterface({ input: this.process.stdout })[Symbol.asyncIterator]()
  }
  /** All at once; the answers come in order. */
  async tell (lines) {
    this.process.stdin.write(lines.join('\n') + '\n')
    const answers = []
    for (let i = 0; i < lines.length; ++i) answers.push(JSON.parse((await this.lines.next()).value))
    return answers
  }
  end () { this.process.stdin.end() }
}

function sameValue (kind, want, got) {
  switch (kind) {
    case 'any': return true
    case 'f': return Number(got) === want
    case 'near': return Math.abs(Number(got) - want[0]) <= want[1]
    case 'p': return want.join(' ') === got
    default: return String(want) === String(got)
  }
}

/** The first difference as text, or null. */
function difference (want, cut, got) {
  for (let i = 0; i < want.length; ++i) {
    const [op, name, kind, value] = want[i]
    const told = got[i]
    const same = told && told[0] === op && (op === ')' || told[1] === name) && (op !== '=' || sameValue(kind, value, told[2]))
    if (!same) return `${JSON.stringify(want[i])} is told as ${JSON.stringify(told)}`
  }
  if (!cut && got.length > want.length) return `nothing more, is told as ${JSON.stringify(got[want.length])}`
  return null
}

async function main () {
  const { protocol: mc, data } = peers()
  const { seed, rounds, versions, reader: program } = options()
  console.log(`seed ${seed}`)
  const random = new Random(seed)
  const reader = new Reader(program)
  let compared = 0, packets = 0, differences = 0, whole = 0
  const unmade = new Set()
  const list = releases(data, versions)
  for (const [number, version] of list) {
    const lines = [], expected = []
    for (const packet of packetsOf(data(version).protocol)) {
      const what = `${number} ${packet.state} ${packet.direction} ${packet.name}`
      if (corrected.has(what)) continue
      const serializer = mc.createSerializer({ state: packet.state, isServer: packet.direction === 'toClient', version })
      let made = 0
      for (let round = 0; round < rounds * 4 && made < rounds; ++round) {
        const instance = instanceOf(packet.types, packet.name, packet.type, random)
        if (!instance) break
        let bytes
        try {
          bytes = serializer.createPacketBuffer({ name: packet.name, params: instance.params })
        } catch (e) {
          if (process.env.VERBOSE) console.log(`${what}: ${e.message.split('\n')[0]}`)
          continue // The package can not write it, such as an item whose components refer to others.
        }
        ++made
        lines.push(`${number} ${stateNumbers[packet.state]} ${packet.direction === 'toServer' ? 0 : 1} ${bytes.toString('hex')}`)
        expected.push({ what, name: packet.name, ...instance })
      }
      if (made === 0) unmade.add(what)
      packets += made > 0
    }
    const told = await reader.tell(lines)
    for (let i = 0; i < told.length; ++i) {
      const { what, name, tokens, cut } = expected[i]
      const [toldName, ...toldTokens] = told[i]
      ++compared
      whole += !cut
      const found = toldName !== name ? `is taken for ${toldName}` : difference(tokens, cut, toldTokens)
      if (!found) continue
      if (++differences <= 20) console.log(`${what}: ${found}\n  ${lines[i].split(' ')[3]}`)
    }
  }
  reader.end()
  if (unmade.size > 0) console.log(`not made: ${[...unmade].slice(0, 20).join(', ')}${unmade.size > 20 ? ', …' : ''}`)
  console.log(`${list.length} versions, ${packets} packets, ${compared} instances (${whole} to their last byte), ` +
    `${unmade.size} packets not made, ${differences} differences`)
  process.exitCode = differences > 0 || compared === 0 ? 1 : 0
}

main().catch(error => {
  console.error(error)
  process.exitCode = 1
})
