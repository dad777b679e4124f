//! Why a payload in chunks is refused.

use crate::reason::{RefusalKind, Refused};

auth_core::reasons! { Refused, RefusalKind;
    DECODED_LENGTH Malformed "sigv4_decoded_length" "x-amz-decoded-content-length is not there once as a number, expected it with a payload in chunks";
    TRAILER_FIELD Malformed "sigv4_trailer_field" "x-amz-trailer does not name one checksum, expected it with a payload that ends in a trailer";
    CHUNK Forbidden "sigv4_chunk" "payload is not framed in chunks as it says";
    CHUNK_SIGNATURE Forbidden "sigv4_chunk_signature" "signature of a chunk does not match";
    CHUNK_LENGTH Forbidden "sigv4_chunk_length" "payload is not as long as x-amz-decoded-content-length says";
    TRAILER Forbidden "sigv4_trailer" "trailer is not the one checksum that x-amz-trailer names";
    TRAILER_SIGNATURE Forbidden "sigv4_trailer_signature" "signature of the trailer does not match";
    CHECKSUM Forbidden "sigv4_checksum" "payload is not the one whose checksum is in the trailer";
}
