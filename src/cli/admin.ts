import { accountCommands } from './admin/accounts.ts'
import { doctor } from './admin/doctor.ts'
import { erasureCommands } from './admin/erasures.ts'
import { explain } from './admin/explain.ts'
import { imports } from './admin/imports.ts'
import { jobCommands } from './admin/jobs.ts'
import { migrate } from './admin/migrate.ts'
import { projectionCommands } from './admin/projections.ts'
import { rebuildCommand } from './admin/rebuild.ts'
import { rightsCommands } from './admin/rights.ts'
import { settingCommands } from './admin/settings.ts'
import { status } from './admin/status.ts'
import { loadTemplate } from './admin/template.ts'
import { tokenCommands } from './admin/tokens.ts'
import { undo } from './admin/undo.ts'
import { verifyCommand } from './admin/verify.ts'
import type { Group } from './command.ts'

/** `rm3admin`: everything an operator does beside pages and backups. */
export const admin: Group = {
  name: 'rm3admin',
  summary: 'administers a site',
  commands: [
    migrate,
    status,
    ...projectionCommands,
    verifyCommand,
    rebuildCommand,
    doctor,
    ...accountCommands,
    ...rightsCommands,
    explain,
    ...tokenCommands,
    undo,
    imports,
    loadTemplate,
    ...settingCommands,
    ...jobCommands,
    ...erasureCommands,
  ],
}
