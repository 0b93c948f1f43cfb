//! The values of columns, whatever their type.

use chrono::NaiveDate;
use diesel::sql_types::{BigInt, Bool, Date, Integer, Nullable, SmallInt, Text, Timestamp};
use rollcall_domain::DataValue;

use crate::base::timestamp::UtcMicros;

/// An SQL type that a copy can have.
pub(super) trait Stored {
    /// How it is read.
    type Read;

    /// The value that was read.
    fn value(read: Self::Read) -> Option<DataValue>;
}

macro_rules! stored {
    ($($sql:ty, $read:ty => $value:expr;)+) => {
        $(impl Stored for $sql {
            type Read = $read;

            fn value(read: $read) -> Option<DataValue> {
                let value: fn($read) -> DataValue = $value;
                Some(value(read))
            }
        })+
    };
}

stored! {
    Bool, bool => DataValue::Flag;
    BigInt, i64 => DataValue::Number;
    Integer, i32 => |number| DataValue::Number(number.into());
    SmallInt, i16 => |number| DataValue::Number(number.into());
    Text, String => DataValue::Text;
    Timestamp, UtcMicros => |at| DataValue::Time(at.into());
    Date, NaiveDate => DataValue::Day;
}

impl<T: Stored> Stored for Nullable<T>
where
    T: diesel::sql_types::SqlType<IsNull = diesel::sql_types::is_nullable::NotNull>,
{
    type Read = Option<T::Read>;

    fn value(read: Self::Read) -> Option<DataValue> {
        read.and_then(T::value)
    }
}
