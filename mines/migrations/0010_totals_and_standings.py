"""Find places in every order by index alone, note changes of the list, keep verdicts on mines."""

import django.db.models.deletion
from django.db import migrations, models


# A row for each statement; those before the last hundred go, unless somebody else is at it.
NOTE = """
CREATE FUNCTION mines_note_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO mines_listedchange DEFAULT VALUES;
    DELETE FROM mines_listedchange WHERE id IN (
        SELECT id FROM mines_listedchange ORDER BY id DESC OFFSET 100 FOR UPDATE SKIP LOCKED
    );
    RETURN NULL;
END
$$;
CREATE TRIGGER mines_note_listed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON mines_listedmine
    FOR EACH STATEMENT EXECUTE FUNCTION mines_note_change();
CREATE TRIGGER mines_note_boundary AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON mines_boundary
    FOR EACH STATEMENT EXECUTE FUNCTION mines_note_change();
"""


class Migration(migrations.Migration):

    dependencies = [
        ('mines', '0009_listing_in_sets'),
        ('taskforce', '0004_manage_layers'),
    ]

    operations = [
        migrations.CreateModel(
            name='ListedChange',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
            ],
            options={
                'verbose_name': '台账变动',
                'ordering': ['pk'],
                'default_permissions': (),
            },
        ),
        migrations.CreateModel(
            name='MineStanding',
            fields=[
                ('mine', models.OneToOneField(db_constraint=False, on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='standing', serialize=False, to='mines.mine')),
                ('verdict', models.CharField(choices=[('pass', '符合'), ('fail', '不符合'), ('review', '待研判'), ('nodata', '缺数据'), ('na', '不适用')], max_length=8, verbose_name='结论')),
            ],
            options={
                'verbose_name': '最近检查结论',
                'ordering': ['mine'],
                'default_permissions': (),
            },
        ),
        migrations.RemoveIndex(
            model_name='listedmine',
            name='listed_no',
        ),
        migrations.RemoveIndex(
            model_name='listedmine',
            name='listed_county',
        ),
        migrations.RemoveIndex(
            model_name='listedmine',
            name='listed_mineral',
        ),
        migrations.RemoveIndex(
            model_name='listedmine',
            name='listed_name',
        ),
        migrations.RemoveIndex(
            model_name='listedmine',
            name='listed_holder',
        ),
        migrations.RemoveIndex(
            model_name='listedmine',
            name='listed_ends',
        ),
        migrations.RemoveIndex(
            model_name='listedmine',
            name='listed_scale',
        ),
        migrations.RemoveIndex(
            model_name='listedmine',
            name='listed_area',
        ),
        migrations.RemoveIndex(
            model_name='listedmine',
            name='listed_totals',
        ),
        migrations.AddIndex(
            model_name='listedmine',
            index=models.Index(fields=['registry_no'], include=('mine', 'county', 'mineral', 'is_sand_stone', 'minimum_key', 'method', 'state', 'licence_ends', 'least_scale', 'scale_wan_t', 'area_km2'), name='listed_no'),
        ),
        migrations.AddIndex(
            model_name='listedmine',
            index=models.Index(fields=['county', 'registry_no'], include=('mine', 'mineral', 'is_sand_stone', 'minimum_key', 'method', 'state', 'licence_ends', 'least_scale', 'scale_wan_t', 'area_km2'), name='listed_county'),
        ),
        migrations.AddIndex(
            model_name='listedmine',
            index=models.Index(fields=['licence_ends', 'registry_no'], include=('mine', 'county', 'area_km2', 'scale_wan_t'), name='listed_ends'),
        ),
        migrations.AddIndex(
            model_name='listedmine',
            index=models.Index(fields=['name', 'registry_no'], include=('mine', 'county'), name='listed_name'),
        ),
        migrations.AddIndex(
            model_name='listedmine',
            index=models.Index(fields=['holder', 'registry_no'], include=('mine', 'county'), name='listed_holder'),
        ),
        migrations.AddIndex(
            model_name='listedmine',
            index=models.Index(fields=['mineral', 'registry_no'], include=('mine', 'county'), name='listed_mineral'),
        ),
        migrations.AddIndex(
            model_name='listedmine',
            index=models.Index(fields=['method', 'registry_no'], include=('mine', 'county'), name='listed_method'),
        ),
        migrations.AddIndex(
            model_name='listedmine',
            index=models.Index(fields=['state', 'registry_no'], include=('mine', 'county'), name='listed_state'),
        ),
        migrations.AddIndex(
            model_name='listedmine',
            index=models.Index(fields=['scale_wan_t', 'registry_no'], include=('mine', 'county'), name='listed_scale'),
        ),
        migrations.AddIndex(
            model_name='listedmine',
            index=models.Index(fields=['service_life_years', 'registry_no'], include=('mine', 'county'), name='listed_life'),
        ),
        migrations.AddIndex(
            model_name='listedmine',
            index=models.Index(fields=['area_km2', 'registry_no'], include=('mine', 'county'), name='listed_area'),
        ),
        migrations.AddIndex(
            model_name='listedmine',
            index=models.Index(fields=['as_of', 'registry_no'], include=('mine', 'county'), name='listed_as_of'),
        ),
        migrations.AddField(
            model_name='minestanding',
            name='run',
            field=models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='standings', to='mines.minecheckrun'),
        ),
        migrations.AddIndex(
            model_name='minestanding',
            index=models.Index(fields=['run', 'verdict', 'mine'], name='standing_found'),
        ),
        migrations.RunSQL(NOTE, 'DROP FUNCTION mines_note_change() CASCADE'),
    ]
