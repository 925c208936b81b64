{# One row per customer, field and different value that some record gives, ranked, with reason. #}
{{ config(
    materialized='by_key',
    key='customer_id',
    inputs={
        'int_profiles__evidence': {'key': 'customer_id'},
        'int_profiles__name_variants': {'key': 'customer_id'}
    },
    fixed={'int_profiles__evidence_reach': none}
) }}

with

evidence as (

    select * from {{ ref('int_profiles__evidence') }}

),

name_variants as (

    select * from {{ ref('int_profiles__name_variants') }}

),

evidence_reach as (

    select * from {{ ref('int_profiles__evidence_reach') }}

),

newest as (

    select
        evidence.*,
        evidence_reach.evidence_reaches,
        row_number() over (
            partition by evidence.record_key, evidence.field
            order by
                evidence.told_at desc,
                evidence.loaded_at desc,
                evidence.value_key asc nulls last
        ) as version
    from evidence
    cross join evidence_reach

),

visible as (

    select * from newest
    where
        version = 1
        and value is not null
        and {{ days_between('told_on', 'evidence_reaches') }} <= max_age_days

),

tellers as (

    select
        customer_id,
        field,
        value_key,
        {{ text_list('source') }} as sources
    from visible
    group by customer_id, field, value_key

),

{{ ranked_values() }},

final as (

    select
        ranked.customer_id,
        ranked.field,
        ranked.value,
        ranked.street,
        ranked.city,
        ranked.postcode,
        tellers.sources,
        ranked.records,
        ranked.all_votes as votes,
        ranked.first_told_on,
        ranked.last_told_on,
        case when ranked.defect < 2 then ranked.place end as preference,
        case
            when ranked.defect > 0 then ranked.quality
            when ranked.form is not null then ranked.form
            when ranked.competing_values = 1 then 'only usable value'
            when ranked.place > 1 and ranked.method = 'votes' then 'fewer votes'
            when ranked.place > 1 then 'not the ' || ranked.method
            when ranked.method = 'votes' then 'most votes'
            else ranked.method
        end as reason
    from ranked
    inner join tellers
        on
            ranked.customer_id = tellers.customer_id
            and ranked.field = tellers.field
            and ranked.value_key = tellers.value_key

)

select * from final
