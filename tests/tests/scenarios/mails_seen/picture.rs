//! Pictures of mails, and how much two of them differ to the eye.
//!
//! Compared are the mean colours of small squares: letters may be smoothed in another way by another version
//! of the browser, while what moves, goes or changes its colour is seen. Rejected: pixel by pixel, which no two
//! browsers pass, and sums over the picture, in which a lost button is lost.

use anyhow::{Context, Result, ensure};
use png::{BitDepth, ColorType, Compression, Decoder, Encoder, Transformations};
use std::io::Cursor;

/// Side of a square, in pixels: about half a line.
const SQUARE: usize = 12;
/// Stored colours have 5 bits a channel: less to store, and far below what is told apart here.
const KEPT: u8 = 0b1111_1000;

/// Red, green and blue of each pixel, row by row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Picture {
    pub(crate) width: usize,
    pub(crate) height: usize,
    pixels: Vec<u8>,
}

/// How far two pictures of one size are apart.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Distance {
    /// Of the squares that differ most, in one channel: 0 to 255.
    pub(crate) worst: f64,
    /// Where that is, in pixels from the left and from above.
    pub(crate) at: (usize, usize),
}

impl Picture {
    /// Reads a PNG.
    pub(crate) fn read(bytes: &[u8]) -> Result<Self> {
        let mut decoder = Decoder::new(Cursor::new(bytes));
        decoder.set_transformations(Transformations::normalize_to_color8());
        let mut reader = decoder.read_info()?;
        let mut pixels = vec![0; reader.output_buffer_size().context("a picture of no size")?];
        let told = reader.next_frame(&mut pixels)?;
        pixels.truncate(told.buffer_size());
        let pixels = match told.color_type {
            ColorType::Rgb => pixels,
            ColorType::Rgba => pixels.chunks_exact(4).flat_map(|pixel| [pixel[0], pixel[1], pixel[2]]).collect(),
            other => anyhow::bail!("a picture of the kind {other:?}"),
        };
        Ok(Self { width: told.width.try_into()?, height: told.height.try_into()?, pixels })
    }

    /// As it is stored: a PNG.
    pub(crate) fn write(&self) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let mut encoder = Encoder::new(&mut bytes, self.width.try_into()?, self.height.try_into()?);
        encoder.set_color(ColorType::Rgb);
        encoder.set_depth(BitDepth::Eight);
        encoder.set_compression(Compression::High);
        let kept: Vec<u8> = self.pixels.iter().map(|part| (part & KEPT) | (part >> 5)).collect();
        encoder.write_header()?.write_image_data(&kept)?;
        Ok(bytes)
    }

    /// The mean of a square in one channel.
    fn mean(&self, left: usize, top: usize, channel: usize) -> f64 {
        let (right, bottom) = ((left + SQUARE).min(self.width), (top + SQUARE).min(self.height));
        let parts = (top..bottom).flat_map(|y| (left..right).map(move |x| self.pixels[(y * self.width + x) * 3 + channel]));
        let (sum, count) = parts.fold((0_u32, 0_u32), |(sum, count), part| (sum + u32::from(part), count + 1));
        f64::from(sum) / f64::from(count)
    }

    /// How far another one is from this.
    pub(crate) fn distance(&self, other: &Self) -> Result<Distance> {
        let sizes = ((self.width, self.height), (other.width, other.height));
        ensure!(sizes.0 == sizes.1, "pictures of {:?} and of {:?} pixels", sizes.0, sizes.1);
        let mut most = Distance { worst: 0.0, at: (0, 0) };
        for (top, left, channel) in (0..self.height)
            .step_by(SQUARE)
            .flat_map(|top| (0..self.width).step_by(SQUARE).flat_map(move |left| (0..3).map(move |channel| (top, left, channel))))
        {
            let apart = (self.mean(left, top, channel) - other.mean(left, top, channel)).abs();
            if apart > most.worst {
                most = Distance { worst: apart, at: (left, top) };
            }
        }
        Ok(most)
    }
}
