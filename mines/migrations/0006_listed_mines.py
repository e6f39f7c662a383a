"""Make the rows of the list and of the tiles, and the triggers that keep them right."""

import django.contrib.gis.db.models.fields
import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.db.models.deletion
from django.db import migrations, models

# Every two neighbouring characters of a line: what a search of two characters looks up.
BIGRAMS = """
CREATE FUNCTION mines_bigrams(words text) RETURNS text[]
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT coalesce(array_agg(DISTINCT (letters[n] || letters[n + 1]) COLLATE "C"), '{}')
    FROM string_to_array(words, NULL) AS letters,
        generate_series(1, cardinality(letters) - 1) AS n
    WHERE letters[n] <> chr(10) AND letters[n + 1] <> chr(10)
$$;
"""

# Locked first, so that of two writers at one mine the second reads what the first has written.
LIST = """
CREATE FUNCTION mines_list(changed bigint[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM mines_mine WHERE id = ANY(changed) ORDER BY id FOR NO KEY UPDATE;
    DELETE FROM mines_listedmine AS listed
    WHERE listed.mine_id = ANY(changed) AND NOT EXISTS (
        SELECT FROM mines_mine AS mine
        WHERE mine.id = listed.mine_id AND mine.removed_on IS NULL
    );
    INSERT INTO mines_listedmine AS listed (
        mine_id, registry_no, name, county_id, county_order, holder, mineral_id, is_sand_stone,
        minimum_key, method, state, service_life_years, licence_ends, scale_wan_t, least_scale,
        area_km2, as_of, words, bigrams
    )
    SELECT mine.id, mine.registry_no, mine.name, mine.county_id, county."order", holder.name,
        mine.mineral_id,
        coalesce(mineral.facts -> 'is_ordinary_sand_stone' = 'true', false),
        CASE WHEN mineral.facts ? 'minimum_unclear' THEN ''
            ELSE coalesce(mineral.facts ->> 'seed_rule_key', '') END,
        mine.method, mine.state, mine.service_life_years,
        licence.ends, systems.total, systems.least, boundary.area_km2, mine.as_of,
        said.words, mines_bigrams(said.words)
    FROM mines_mine AS mine
    JOIN taskforce_county AS county ON county.code = mine.county_id
    JOIN mines_holder AS holder ON holder.id = mine.holder_id
    JOIN mines_mineral AS mineral ON mineral.code = mine.mineral_id
    LEFT JOIN mines_boundary AS boundary ON boundary.mine_id = mine.id
    CROSS JOIN LATERAL (
        SELECT max(valid_to) AS ends, string_agg(DISTINCT number, chr(10)) AS numbers
        FROM mines_licence WHERE mine_id = mine.id
    ) AS licence
    CROSS JOIN LATERAL (
        SELECT CASE WHEN bool_and(tonnes IS NOT NULL) THEN sum(tonnes) END AS total,
            min(tonnes) AS least
        FROM mines_productionsystem AS system, LATERAL (
            SELECT CASE system.unit WHEN 'wan_t' THEN system.design_scale
                WHEN 'wan_m3' THEN system.design_scale * mine.density END AS tonnes
        ) AS known
        WHERE system.mine_id = mine.id
    ) AS systems
    CROSS JOIN LATERAL (
        SELECT lower(normalize(concat_ws(chr(10), mine.name, holder.name, mine.registry_no,
            nullif(mine.township, ''), licence.numbers), NFKC)) AS words OFFSET 0
    ) AS said
    WHERE mine.id = ANY(changed) AND mine.removed_on IS NULL
    ON CONFLICT (mine_id) DO UPDATE SET
        registry_no = excluded.registry_no, name = excluded.name,
        county_id = excluded.county_id, county_order = excluded.county_order,
        holder = excluded.holder, mineral_id = excluded.mineral_id,
        is_sand_stone = excluded.is_sand_stone, minimum_key = excluded.minimum_key,
        method = excluded.method, state = excluded.state,
        service_life_years = excluded.service_life_years,
        licence_ends = excluded.licence_ends, scale_wan_t = excluded.scale_wan_t,
        least_scale = excluded.least_scale, area_km2 = excluded.area_km2,
        as_of = excluded.as_of, words = excluded.words, bigrams = excluded.bigrams
    WHERE listed.* IS DISTINCT FROM excluded.*;
END
$$;
"""

# Longitude and latitude of CGCS2000 and WGS 84 differ by less than a step of a tile's grid.
# 40 m are about one step at zoom 8.
DRAW = """
CREATE FUNCTION mines_draw(changed bigint[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM mines_listedshape AS drawn
    WHERE drawn.mine_id = ANY(changed) AND NOT EXISTS (
        SELECT FROM mines_boundary AS boundary WHERE boundary.mine_id = drawn.mine_id
    );
    INSERT INTO mines_listedshape AS drawn (mine_id, outline, coarse)
    SELECT boundary.mine_id, web.outline, ST_Simplify(web.outline, 40, true)
    FROM mines_boundary AS boundary
    CROSS JOIN LATERAL (
        SELECT ST_Transform(ST_SetSRID(boundary.outline, 4326), 3857) AS outline OFFSET 0
    ) AS web
    WHERE boundary.mine_id = ANY(changed)
    ON CONFLICT (mine_id) DO UPDATE SET outline = excluded.outline, coarse = excluded.coarse
    WHERE drawn.outline::bytea <> excluded.outline::bytea;
END
$$;
"""

WATCH = """
CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE changed bigint[];
BEGIN
    IF TG_OP = 'INSERT' THEN
        SELECT array_agg({key}) INTO changed FROM new_rows;
    ELSIF TG_OP = 'DELETE' THEN
        SELECT array_agg({key}) INTO changed FROM old_rows;
    ELSE
        SELECT array_agg({key}) INTO changed
        FROM (SELECT {key} FROM new_rows UNION SELECT {key} FROM old_rows) AS both_rows;
    END IF;
    IF changed IS NOT NULL THEN
        {act}
    END IF;
    RETURN NULL;
END
$$;
"""

# Of a row that many mines point at, only what the list copies counts.
FOLLOW = """
CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE changed bigint[];
BEGIN
    SELECT array_agg(mine.id) INTO changed
    FROM new_rows
    JOIN old_rows ON old_rows.{key} = new_rows.{key}
        AND old_rows.{copied} IS DISTINCT FROM new_rows.{copied}
    JOIN mines_mine AS mine ON mine.{points} = new_rows.{key};
    IF changed IS NOT NULL THEN
        PERFORM mines_list(changed);
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER mines_listed_after_update AFTER UPDATE ON {table}
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION {name}();
"""

EVENTS = {
    "insert": "NEW TABLE AS new_rows",
    "update": "OLD TABLE AS old_rows NEW TABLE AS new_rows",
    "delete": "OLD TABLE AS old_rows",
}
LISTS = "PERFORM mines_list(changed);"
WATCHED = {
    "mines_mine": ("mines_list_mine", "id", LISTS),
    "mines_licence": ("mines_list_licence", "mine_id", LISTS),
    "mines_productionsystem": ("mines_list_system", "mine_id", LISTS),
    "mines_boundary": (
        "mines_list_boundary",
        "mine_id",
        f"{LISTS}\n        PERFORM mines_draw(changed);",
    ),
}
FOLLOWED = {
    "mines_holder": ("mines_list_holder", "id", "name", "holder_id"),
    "mines_mineral": ("mines_list_mineral", "code", "facts", "mineral_id"),
    "taskforce_county": ("mines_list_county", "code", '"order"', "county_id"),
}
FILL = """
SELECT mines_list(array_agg(id)), mines_draw(array_agg(id)) FROM mines_mine;
"""


def triggers() -> str:
    """Return the statements that make all triggers and their functions."""
    made = []
    for table, (name, key, act) in WATCHED.items():
        made.append(WATCH.format(name=name, key=key, act=act))
        made += [
            f"CREATE TRIGGER mines_listed_after_{event} AFTER {event} ON {table} "
            f"REFERENCING {rows} FOR EACH STATEMENT EXECUTE FUNCTION {name}();"
            for event, rows in EVENTS.items()
        ]
    for table, (name, key, copied, points) in FOLLOWED.items():
        made.append(FOLLOW.format(table=table, name=name, key=key, copied=copied, points=points))
    return "\n".join(made)


def without_triggers() -> str:
    """Return the statements that take them away again."""
    dropped = [f"DROP FUNCTION {name}() CASCADE;" for name, *_ in WATCHED.values()]
    dropped += [f"DROP FUNCTION {name}() CASCADE;" for name, *_ in FOLLOWED.values()]
    return "\n".join(dropped)


class Migration(migrations.Migration):

    dependencies = [
        ('mines', '0005_findings_without_foreign_keys'),
        ('taskforce', '0003_alter_user_options'),
    ]

    operations = [
        migrations.RunSQL(BIGRAMS, 'DROP FUNCTION mines_bigrams(text)'),
        migrations.CreateModel(
            name='ListedShape',
            fields=[
                ('mine', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='+', serialize=False, to='mines.mine')),
                ('outline', django.contrib.gis.db.models.fields.MultiPolygonField(srid=3857, verbose_name='范围')),
                ('coarse', django.contrib.gis.db.models.fields.GeometryField(spatial_index=False, srid=3857, verbose_name='简化范围')),
            ],
            options={
                'verbose_name': '瓦片图形',
                'default_permissions': (),
            },
        ),
        migrations.CreateModel(
            name='ListedMine',
            fields=[
                ('mine', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='listed', serialize=False, to='mines.mine')),
                ('registry_no', models.CharField(max_length=20, verbose_name='台账编号')),
                ('name', models.CharField(max_length=80, verbose_name='矿山名称')),
                ('county_order', models.PositiveSmallIntegerField(verbose_name='县序')),
                ('holder', models.CharField(max_length=80, verbose_name='采矿权人')),
                ('is_sand_stone', models.BooleanField(verbose_name='普通建筑用砂石土')),
                ('minimum_key', models.CharField(max_length=40, verbose_name='最低规模')),
                ('method', models.CharField(choices=[('open_pit', '露天开采'), ('underground', '地下开采'), ('combined', '露天-地下联合开采')], max_length=12, verbose_name='开采方式')),
                ('state', models.CharField(choices=[('producing', '生产'), ('construction', '基建'), ('suspended', '停产'), ('halted', '停建'), ('preparing', '筹建'), ('closed', '关闭')], max_length=12, verbose_name='生产状态')),
                ('service_life_years', models.DecimalField(decimal_places=2, max_digits=6, null=True, verbose_name='服务年限（年）')),
                ('licence_ends', models.DateField(null=True, verbose_name='证到期日')),
                ('scale_wan_t', models.DecimalField(decimal_places=6, max_digits=20, null=True, verbose_name='设计规模')),
                ('least_scale', models.DecimalField(decimal_places=6, max_digits=20, null=True, verbose_name='最小系统规模')),
                ('area_km2', models.DecimalField(decimal_places=4, max_digits=9, null=True, verbose_name='范围面积')),
                ('as_of', models.DateField(verbose_name='数据截止')),
                ('words', models.TextField(verbose_name='搜索文字')),
                ('bigrams', django.contrib.postgres.fields.ArrayField(base_field=models.TextField(), size=None, verbose_name='相邻两字')),
                ('county', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='taskforce.county')),
                ('mineral', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='mines.mineral')),
            ],
            options={
                'verbose_name': '台账行',
                'ordering': ['registry_no'],
                'default_permissions': (),
                'indexes': [models.Index(fields=['registry_no'], name='listed_no'), models.Index(fields=['county', 'registry_no'], name='listed_county'), models.Index(fields=['mineral', 'registry_no'], name='listed_mineral'), models.Index(fields=['name', 'registry_no'], name='listed_name'), models.Index(fields=['holder', 'registry_no'], name='listed_holder'), models.Index(fields=['licence_ends', 'registry_no'], name='listed_ends'), models.Index(fields=['scale_wan_t', 'registry_no'], name='listed_scale'), models.Index(fields=['area_km2', 'registry_no'], name='listed_area'), models.Index(fields=['county'], include=('mineral', 'is_sand_stone', 'minimum_key', 'method', 'state', 'licence_ends', 'least_scale', 'scale_wan_t', 'area_km2'), name='listed_totals'), django.contrib.postgres.indexes.GinIndex(fields=['bigrams'], name='listed_bigrams')],
            },
        ),
        migrations.RunSQL(LIST, 'DROP FUNCTION mines_list(bigint[])'),
        migrations.RunSQL(DRAW, 'DROP FUNCTION mines_draw(bigint[])'),
        migrations.RunSQL(triggers(), without_triggers()),
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
    ]
