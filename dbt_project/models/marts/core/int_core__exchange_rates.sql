{#
One row per currency and span of days with its worth in the reporting currency, itself included.

The first rate of a currency also holds before its day, and the last one goes on.
#}

with

rates as (

    select * from {{ ref('exchange_rates') }}

),

spans as (

    select
        currency,
        valid_from,
        rate,
        row_number() over (partition by currency order by valid_from asc nulls last) as place,
        lead(valid_from)
            over (partition by currency order by valid_from asc nulls last)
            as next_from
    from rates

),

final as (

    select
        currency,
        case when place = 1 then cast('1900-01-01' as date) else valid_from end as valid_from,
        coalesce(next_from, cast('9999-12-31' as date)) as valid_to,
        cast(rate as decimal(18, 6)) as rate
    from spans
    union all
    select
        '{{ var("reporting_currency") }}' as currency,
        cast('1900-01-01' as date) as valid_from,
        cast('9999-12-31' as date) as valid_to,
        cast(1 as decimal(18, 6)) as rate

)

select * from final
