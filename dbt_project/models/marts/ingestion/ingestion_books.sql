{# One row per source, table and load: what was received, and where each row of it went. #}

with

entries as (

    select * from {{ ref('stg_ingestion__books') }}

),

totals as (

    select
        source,
        table_name,
        load_id,
        sum(case when entry = 'received' then row_count else 0 end) as received,
        sum(case when entry = 'accepted' then row_count else 0 end) as accepted,
        sum(case when entry = 'quarantined' then row_count else 0 end) as quarantined,
        sum(case when entry = 'duplicate' then row_count else 0 end) as duplicate,
        sum(case when entry = 'suppressed' then row_count else 0 end) as suppressed
    from entries
    group by source, table_name, load_id

),

final as (

    select
        {{ surrogate_key(['source', 'table_name', 'load_id']) }} as book_id,
        source,
        table_name,
        load_id,
        {{ time_of_load('load_id') }} as loaded_at,
        cast(received as bigint) as received,
        cast(accepted as bigint) as accepted,
        cast(quarantined as bigint) as quarantined,
        cast(duplicate as bigint) as duplicate,
        cast(suppressed as bigint) as suppressed,
        received = accepted + quarantined + duplicate + suppressed as is_balanced
    from totals

)

select * from final
