{# One row per record: the cluster of records that are one person, named by its first record. #}

with

records as (

    select * from {{ ref('int_identity__records') }}

),

components as (

    select * from {{ ref('int_identity__components') }}

),

final as (

    select
        records.record_key,
        coalesce(components.component, records.record_key) as cluster_key
    from records
    left join components on records.record_key = components.node

)

select * from final
