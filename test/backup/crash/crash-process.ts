/** `crash-process SUBJECT AT PLACE`: does what a subject does, as JSON says where, and dies at an operation, as if the machine had stopped. */
import { withFault } from './faults.ts'
import { type Place, SUBJECTS, type Subject } from './subjects.ts'

const [subject = '', at = '', json = ''] = process.argv.slice(2)
const place = JSON.parse(json) as Place
const { error } = await withFault({ fault: 'kill', at: Number(at), root: place.folder }, () =>
  SUBJECTS[subject as Subject](place),
)
if (error !== null) throw error
