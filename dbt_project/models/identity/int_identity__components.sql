{# One row per linked record: the records that reach each other over links share a component. #}
{{ config(materialized='connected_components') }}

with

links as (

    select * from {{ ref('int_identity__links') }}

),

final as (

    select
        record_key as node_a,
        first_record_key as node_b
    from links

)

select * from final
