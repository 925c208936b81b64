{# One row per customer, field and different value that some record gives, ranked, with reason. #}

with

evidence as (

    select * from {{ ref('int_profiles__evidence') }}

),

name_variants as (

    select * from {{ ref('int_profiles__name_variants') }}

),

newest as (

    select
        *,
        row_number() over (
            partition by record_key, field
            order by told_at desc, loaded_at desc, value_key asc nulls last
        ) as version,
        max(told_on) over () as evidence_reaches
    from evidence

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
            when ranked.competing_values = 1 then 'only value'
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
