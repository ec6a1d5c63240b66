//! Names of migrations' folders: a checkout may bring any, and `upgrade --sql` prints them for psql.

use std::{fs, process::Command};

use generator::migrations::{
    apply::{self, UpTarget},
    folder::{self, version_of},
};

use super::{cases, hold, hostile};

#[test]
fn no_name_of_a_folder_is_sql_for_psql() {
    let (project, database) = tests::database();
    let psql = project.binaries.psql().expect("psql");
    let url = database.url().as_secret_str().to_owned();
    tests::run(&database, "CREATE TABLE canary ()");
    let folder = tempfile::tempdir().expect("a folder");
    hold(cases() / 8, hostile(), |name| {
        let name: String = name.chars().filter(|c| !matches!(c, '/' | '\0')).collect();
        let name = name.trim_start_matches('.');
        if name.is_empty() || name.len() > 200 {
            return Ok(());
        }
        let migrations = folder.path().join("migrations");
        let _ = fs::remove_dir_all(&migrations);
        fs::create_dir_all(migrations.join(name)).map_err(|error| error.to_string())?;
        fs::write(migrations.join(name).join("up.sql"), "SELECT 1;\n").expect("a file");
        let read = folder::read(&migrations).map_err(|error| error.to_string())?;
        let (sql, _) =
            apply::script(&read, None, &UpTarget::Head).map_err(|error| error.to_string())?;
        tests::run(&database, "DROP TABLE IF EXISTS __diesel_schema_migrations");
        let file = folder.path().join("all.sql");
        fs::write(&file, &sql).expect("a file");
        let ran = Command::new(&psql)
            .args([
                "--no-psqlrc",
                "--quiet",
                "--set=ON_ERROR_STOP=1",
                "--dbname",
                &url,
                "--file",
            ])
            .arg(&file)
            .output()
            .expect("psql");
        let version = version_of(name);
        // Diesel's column takes 50 characters, and psql says so.
        if version.chars().count() > 50 {
            return Ok(());
        }
        if !ran.status.success() {
            return Err(format!("{}\n{sql}", String::from_utf8_lossy(&ran.stderr)));
        }
        let mut connection = database.connect().expect("a connection");
        let recorded = format!(
            "to_regclass('canary') IS NOT NULL AND (SELECT array_agg(version::text) = ARRAY[{}] FROM __diesel_schema_migrations)",
            trueup::name::literal(&version)
        );
        if tests::holds(&mut connection, &recorded) {
            Ok(())
        } else {
            Err(format!("another version is recorded\n{sql}"))
        }
    });
}
